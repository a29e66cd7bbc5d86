#include "compiler/Support/Targets.h"

using namespace mlir;

namespace zp {

static constexpr StringLiteral kTargetAttr = "zp.target";
static const Target kTargets[] = {
#define ZP_TARGET(name, reserve, workspace, panel, attention, logits, engines) {name, reserve, workspace, panel, attention, logits, engines},
#include "runtime/schema/targets.inc"
#undef ZP_TARGET
};

const Target *findTarget(StringRef name) {
  const Target *found = llvm::find_if(kTargets, [&](const Target &target) { return target.name == name; });
  return found == std::end(kTargets) ? nullptr : found;
}

std::string targetNames() {
  std::string names;
  for (const Target &target : kTargets)
    names += (names.empty() ? "" : " or ") + target.name.str();
  return names;
}

void setTarget(ModuleOp module, StringRef name) { module->setAttr(kTargetAttr, StringAttr::get(module.getContext(), name)); }

const Target &targetOf(ModuleOp module) {
  auto attr = module->getAttrOfType<StringAttr>(kTargetAttr);
  const Target *found = attr ? findTarget(attr.getValue()) : nullptr;
  return found ? *found : kTargets[0];
}

} // namespace zp

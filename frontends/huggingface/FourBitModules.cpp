#include "frontends/huggingface/FourBitModules.h"

#include "frontends/huggingface/ModuleMatcher.h"
#include "runtime/base/names.h"
#include "runtime/schema/four_bit_modules.h"

namespace zp::fe {

static bool isSkipped(const std::string &module, const std::string &entry, const NamePattern &pattern) {
  if (module.ends_with(entry)) // with or without a dot before
    return true;
  for (size_t length = 1; length <= module.size(); ++length) {
    bool boundary = length == module.size() || module[length] == '.' || module[length - 1] == '.';
    if (boundary && pattern.matchesFirst(module, length))
      return true;
  }
  return false;
}

Status markFourBit(ModelSpec &spec, const std::vector<std::string> &skipped, const std::string &place, bool all) {
  spec.fourBit = true;
  for (ModuleSpec &module : spec.modules)
    module.fourBit = module.kind == ModuleKind::Linear && module.role != Role::Head && !staysInFloats(spec.modelType, module.path);
  for (const std::string &entry : skipped) {
    ZP_ASSIGN_OR_RETURN(NamePattern pattern, NamePattern::compile(place, entry));
    bool found = false;
    std::vector<std::string> known;
    for (ModuleSpec &module : spec.modules) {
      if (module.kind == ModuleKind::Linear) {
        known.push_back(module.path.substr(module.path.rfind('.') + 1));
        known.push_back(module.path);
      }
      if (module.kind != ModuleKind::Linear || !isSkipped(module.path, entry, pattern))
        continue;
      found = true;
      module.fourBit = false;
    }
    if (found || !all)
      continue;
    std::vector<std::string> nearest = nearestNames(entry, known);
    return Status(ErrorCode::UnknownTarget, place + ": '" + entry + "' means no linear of " + spec.architecture +
                                                ", expected the end of a module's name or its beginning up to a dot; try " +
                                                (nearest.empty() ? "o_proj or model.layers.0" : nearest[0]));
  }
  return Status();
}

Status verifyFourBitFrozen(const ModelSpec &spec, const LoraSettings &lora) {
  for (const ModuleSpec &module : spec.modules)
    if (module.fourBit && module.weight->trained)
      return Status(ErrorCode::Config, lora.placeOf("modules_to_save") + ": holds " + module.path +
                                           ", whose weight is in 4 bits and can't be trained, expected modules in floats; add it to "
                                           "--bnb_4bit_skip_modules or adapt it with LoRA");
  return Status();
}

} // namespace zp::fe

#include "compiler/Pipelines/Phases.h"

namespace zp {

llvm::StringRef phaseName(Phase phase) {
  switch (phase) {
#define ZP_PHASE(id, name, doc)                                                                                                                      \
  case Phase::id:                                                                                                                                    \
    return name;
#include "compiler/Pipelines/Phases.def"
#undef ZP_PHASE
  }
  return {};
}

std::optional<Phase> phaseNamed(llvm::StringRef name) {
#define ZP_PHASE(id, text, doc)                                                                                                                      \
  if (name == text)                                                                                                                                  \
    return Phase::id;
#include "compiler/Pipelines/Phases.def"
#undef ZP_PHASE
  return std::nullopt;
}

std::string phaseNames() {
  std::string names;
#define ZP_PHASE(id, name, doc) names += (names.empty() ? "" : ", ") + std::string(name);
#include "compiler/Pipelines/Phases.def"
#undef ZP_PHASE
  return names;
}

} // namespace zp

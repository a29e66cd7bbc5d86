// The phases of a compilation, by the list in Phases.def.
#ifndef ZP_COMPILER_PIPELINES_PHASES_H
#define ZP_COMPILER_PIPELINES_PHASES_H

#include <optional>

#include "llvm/ADT/StringRef.h"

namespace zp {

enum class Phase {
#define ZP_PHASE(id, name, doc) id,
#include "compiler/Pipelines/Phases.def"
#undef ZP_PHASE
};

inline constexpr Phase kFirstPhase = Phase::Import, kLastPhase = Phase::Emit;

llvm::StringRef phaseName(Phase phase);
std::optional<Phase> phaseNamed(llvm::StringRef name);
/// "import, train, …": for messages.
std::string phaseNames();

} // namespace zp

#endif // ZP_COMPILER_PIPELINES_PHASES_H

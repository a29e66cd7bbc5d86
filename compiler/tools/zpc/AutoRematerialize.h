// `--rematerialize auto`: the least recomputation that fits the machine.
#ifndef ZP_COMPILER_TOOLS_ZPC_AUTOREMATERIALIZE_H
#define ZP_COMPILER_TOOLS_ZPC_AUTOREMATERIALIZE_H

#include "compiler/tools/zpc/Candidate.h"

namespace zp {

/// The settings with `rematerialize` and `rematerialize_blocks` resolved: nothing recomputed, else as few blocks as it takes, selectively
/// before whole. Each block more takes less memory, so the least is found by halving. Where nothing fits, or the machine's memory is
/// not limited: every block whole, the least that the job can take.
JobSettings resolveRematerialize(mlir::ModuleOp imported, const JobSettings &settings, const rt::Cluster &cluster);

/// "block in the first 12 of 80 blocks, selective in the others": what the settings say of the module.
std::string recomputationText(mlir::ModuleOp imported, const JobSettings &settings);

} // namespace zp

#endif // ZP_COMPILER_TOOLS_ZPC_AUTOREMATERIALIZE_H

#include "compiler/tools/zpc/AutoRematerialize.h"

#include <algorithm>

#include "dialects/NN/IR/NNDialect.h"

namespace zp {
namespace {

/// Units between the embedding's and the head's.
int64_t blocksOf(mlir::ModuleOp imported) {
  int64_t last = 0;
  for (auto parameter : imported.getOps<nn::ParameterOp>())
    last = std::max<int64_t>(last, parameter.getUnit());
  return std::max<int64_t>(last - 1, 0);
}

/// Step 0 recomputes nothing, step `blocks` every block selectively, step 2·blocks every block whole.
JobSettings atStep(const JobSettings &settings, int64_t step, int64_t blocks) {
  JobSettings resolved = settings;
  resolved.rematerialize = step == 0 ? "none" : step <= blocks ? "selective" : "block";
  resolved.rematerialize_blocks = step == 0 || step % std::max<int64_t>(blocks, 1) == 0 ? -1 : step % blocks;
  return resolved;
}

} // namespace

JobSettings resolveRematerialize(mlir::ModuleOp imported, const JobSettings &settings, const rt::Cluster &cluster) {
  const int64_t blocks = blocksOf(imported);
  int64_t low = 0, high = 2 * blocks; // the least step that fits is in [low, high], or none does
  const bool limited = cluster.memory > 0 || cluster.host_memory > 0;
  while (limited && low < high) {
    const int64_t middle = (low + high) / 2;
    if (evaluate(imported, atStep(settings, middle, blocks), cluster).fits())
      high = middle;
    else
      low = middle + 1;
  }
  return atStep(settings, high, blocks);
}

std::string recomputationText(mlir::ModuleOp imported, const JobSettings &settings) {
  const std::string blocks = std::to_string(blocksOf(imported)), &kind = settings.rematerialize;
  if (kind == "none")
    return "nothing is recomputed";
  if (settings.rematerialize_blocks < 0)
    return kind + " in all " + blocks + " blocks";
  return kind + " in the first " + std::to_string(settings.rematerialize_blocks) + " of " + blocks + " blocks, " +
         (kind == "block" ? "selective" : "none") + " in the others";
}

} // namespace zp

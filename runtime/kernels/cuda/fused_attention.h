// Which instructions of attention go to fused kernels, and how: chosen before a plan's first run, never after it. What isn't
// taken is computed by our own kernels (attention/cuda.cu, attention_gradient/cuda.cu), to the same meaning: the two mix freely,
// log_sum_exp is the op table's either way.
//
// A gradient is cut into equal parts, whole rows or the heads of some keys of one row, as large as the instruction's workspace
// allows: with the same bits run after run, cuDNN wants an element a score (fusedGradientWorkspaceBytes,
// runtime/schema/workspaces.h).
#ifndef ZP_RUNTIME_KERNELS_CUDA_FUSED_ATTENTION_H
#define ZP_RUNTIME_KERNELS_CUDA_FUSED_ATTENTION_H

#include <map>
#include <utility>

#include "runtime/kernels/cuda/context.h"
#include "runtime/kernels/cuda/fused_graphs.h"
#include "runtime/schema/generated/op_args.h"

namespace zp::rt::cuda {

class FusedAttention {
public:
  explicit FusedAttention(const Properties &device) : device(device) {}

  /// Chooses for an instruction, and builds what it takes. Looks at where operands lie, not at what they hold.
  void prepare(const AttentionArgs &args);
  void prepare(const AttentionGradientArgs &args);

  /// Whether `prepare` has chosen the fused kernels for such an instruction.
  bool takes(const AttentionArgs &args) const { return chosenFor(args) != nullptr; }
  bool takes(const AttentionGradientArgs &args) const { return chosenFor(args) != nullptr; }

  /// Of an instruction that it takes. A gradient of several rows finds log_sum_exp a row after another, [rows, heads, length],
  /// where its workspace begins.
  Status run(const Context &context, const AttentionArgs &args);
  Status run(const Context &context, const AttentionGradientArgs &args);

  /// Whose kernels compute attention, theirs with their version, or "own: " and why.
  std::string computedBy() const;
  /// One line for whoever runs the plan: what of it is left to our own kernels, and why. Empty when nothing is that could be
  /// otherwise.
  std::string notice() const;

private:
  struct Choice {
    std::unique_ptr<FusedGraph> graph; ///< null: our own kernel
    int64_t rows = 0, kvHeads = 0;     ///< of a part
  };
  using Key = std::pair<FusedCase, uint64_t>; ///< all of an instruction, and the workspace that it has

  template <typename Args> void prepareFor(const Args &args);
  template <typename Args> const Choice *chosenFor(const Args &args) const;
  Choice choose(const FusedCase &whole, uint64_t workspaceBytes);
  bool open();
  void leave(const std::string &reason);

  Properties device;
  bool tried = false;
  std::unique_ptr<FusedGraphs> graphs; ///< null before the first 16-bit case, and where they can't be had
  std::map<Key, Choice> choices;
  std::string reason; ///< the first why something was left
  uint64_t left = 0, taken = 0;
};

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_FUSED_ATTENTION_H

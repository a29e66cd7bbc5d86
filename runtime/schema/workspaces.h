// Bytes of workspace that an instruction needs: the compiler places exactly as much, the kernel's check demands it.
// Where a workspace has parts, its layout is here too, so that the sum and the parts cannot drift apart.
#ifndef ZP_RUNTIME_SCHEMA_WORKSPACES_H
#define ZP_RUNTIME_SCHEMA_WORKSPACES_H

#include <cstdint>

#include "runtime/schema/dtypes.h"

namespace zp {

/// Parts begin at multiples of this.
inline constexpr uint64_t kWorkspaceAlignment = 256;

/// linear_cross_entropy: a chunk of logits as f (their gradient takes the same place), the chunk's rows of hidden and of
/// grad_hidden side by side when the counted tokens are not, each token's loss, indices of the counted tokens.
struct LinearCrossEntropyLayout {
  uint64_t logits, hiddenRows, gradientRows, losses, indices, bytes;
  uint64_t logitStride; ///< elements from a token's logits to the next one's, where a kernel wants rows at multiples of 16 bytes
};
constexpr LinearCrossEntropyLayout linearCrossEntropyLayout(uint64_t chunk, uint64_t tokens, uint64_t vocabulary, uint64_t hidden, DType f) {
  auto next = [](uint64_t offset, uint64_t bytes) { return offset + (bytes + kWorkspaceAlignment - 1) / kWorkspaceAlignment * kWorkspaceAlignment; };
  LinearCrossEntropyLayout layout{};
  layout.logitStride = (vocabulary + 7) / 8 * 8;
  layout.hiddenRows = next(layout.logits, bytesOf(f, chunk * layout.logitStride));
  layout.gradientRows = next(layout.hiddenRows, bytesOf(f, chunk * hidden));
  layout.losses = next(layout.gradientRows, bytesOf(f, chunk * hidden));
  layout.indices = next(layout.losses, chunk * 8);
  layout.bytes = next(layout.indices, tokens * 4);
  return layout;
}
constexpr uint64_t linearCrossEntropyWorkspaceBytes(uint64_t chunk, uint64_t tokens, uint64_t vocabulary, uint64_t hidden, DType f) {
  return linearCrossEntropyLayout(chunk, tokens, vocabulary, hidden, f).bytes;
}

/// attention_gradient: Σ grad_out·out of each query row in f32 and, for 16-bit f, the query gradient in f32.
constexpr uint64_t attentionGradientWorkspaceBytes(uint64_t heads, uint64_t tokens, uint64_t headDim, DType f) {
  return heads * tokens * 4 + (f == DType::F32 ? 0 : heads * tokens * headDim * 4);
}

/// attention_gradient by fused kernels (runtime/kernels/cuda/fused_attention.h), for so many heads of so many rows: with the same
/// bits run after run cuDNN 9 keeps a 16-bit gradient a score, tiles of 64 by 128, the sums that attentionGradientWorkspaceBytes
/// begins with and, when heads share keys, gradients of keys and values a head. Read off its plans (cudnn_graphs_test); theirs is
/// the last word.
constexpr uint64_t fusedGradientWorkspaceBytes(uint64_t rows, uint64_t heads, uint64_t kvHeads, uint64_t length, uint64_t headDim) {
  const uint64_t queries = (length + 63) / 64 * 64, keys = (length + 127) / 128 * 128;
  return rows * heads * (queries * keys * 2 + length * 4 + (heads == kvHeads ? 0 : length * headDim * 4)) + kWorkspaceAlignment;
}
/// And, of several rows, log_sum_exp a row after another.
constexpr uint64_t fusedStatisticsBytes(uint64_t heads, uint64_t tokens, uint64_t length) {
  return tokens == length ? 0 : (heads * tokens * 4 + kWorkspaceAlignment - 1) / kWorkspaceAlignment * kWorkspaceAlignment;
}
/// What fused kernels take of an attention_gradient at a time: so many rows with all their heads or, of one row, so many key heads with the
/// heads that share them.
struct FusedPart {
  uint64_t rows, kvHeads;
  constexpr explicit operator bool() const { return rows > 0 && kvHeads > 0; }
};
/// The next smaller one that divides the whole; none after one key head.
constexpr FusedPart nextPart(FusedPart whole, FusedPart part) {
  uint64_t &cut = part.rows > 1 ? part.rows : part.kvHeads;
  const uint64_t of = part.rows > 1 ? whole.rows : whole.kvHeads;
  do
    --cut;
  while (cut > 0 && of % cut != 0);
  return part;
}
/// Tiles of 128 keys of a head that keep a device busy: they are the fused gradient's blocks, of unequal length where a mask is causal, and four
/// a multiprocessor of an H200 leave it idle at their end for a little while only.
inline constexpr uint64_t kEnoughTiles = 512;
/// What is placed for attention_gradient: what it demands or, when that is more and at most `most` bytes, what fused kernels take for the
/// smallest part that keeps a device busy, for the largest where none does.
constexpr uint64_t attentionGradientPlacedBytes(uint64_t heads, uint64_t kvHeads, uint64_t tokens, uint64_t length, uint64_t headDim, DType f,
                                                uint64_t most) {
  const uint64_t demanded = attentionGradientWorkspaceBytes(heads, tokens, headDim, f);
  if (f == DType::F32)
    return demanded;
  const uint64_t group = heads / kvHeads;
  const FusedPart whole{tokens / length, kvHeads};
  uint64_t fused = 0;
  for (FusedPart part = whole; part; part = nextPart(whole, part)) {
    const uint64_t partHeads = part.kvHeads * group, tiles = part.rows * partHeads * ((length + 127) / 128);
    const uint64_t bytes =
        fusedStatisticsBytes(heads, tokens, length) + fusedGradientWorkspaceBytes(part.rows, partHeads, part.kvHeads, length, headDim);
    if (fused > 0 && tiles < kEnoughTiles)
      break;
    if (bytes <= most)
      fused = bytes;
  }
  return fused > demanded ? fused : demanded;
}

} // namespace zp

#endif // ZP_RUNTIME_SCHEMA_WORKSPACES_H

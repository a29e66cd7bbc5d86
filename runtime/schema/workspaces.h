// Bytes of workspace that an instruction needs: the compiler places exactly as much, the kernel's check demands it.
#ifndef ZP_RUNTIME_SCHEMA_WORKSPACES_H
#define ZP_RUNTIME_SCHEMA_WORKSPACES_H

#include <cstdint>

#include "runtime/schema/dtypes.h"

namespace zp {

/// linear_cross_entropy: a chunk of logits in f32 and, for 16-bit f, as f; the chunk's compacted rows of hidden and of
/// grad_hidden; indices of the counted rows.
constexpr uint64_t linearCrossEntropyWorkspaceBytes(uint64_t chunk, uint64_t tokens, uint64_t vocabulary, uint64_t hidden, DType f) {
  uint64_t narrow = f == DType::F32 ? 0 : bytesOf(f, chunk * vocabulary);
  return chunk * vocabulary * 4 + narrow + 2 * chunk * hidden * 4 + tokens * 4 + 256;
}

/// attention_gradient: Σ grad_out·out of each query row in f32 and, for 16-bit f, the query gradient in f32.
constexpr uint64_t attentionGradientWorkspaceBytes(uint64_t heads, uint64_t tokens, uint64_t headDim, DType f) {
  return heads * tokens * 4 + (f == DType::F32 ? 0 : heads * tokens * headDim * 4);
}

} // namespace zp

#endif // ZP_RUNTIME_SCHEMA_WORKSPACES_H

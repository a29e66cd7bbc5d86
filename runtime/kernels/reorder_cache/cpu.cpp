#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/schema/limits.h"

#include <algorithm>
#include <cstring>

namespace zp::rt::cpu {

namespace {
/// What is kept of all rows at a time, while rows are written in place; a row's share is a few cache lines at least.
constexpr int64_t kScratchBytes = 256 << 10, kShareBytes = 64;
static_assert(kMaxCacheRows * kShareBytes <= kScratchBytes);
} // namespace

void run(const KernelContext &context, const ReorderCacheArgs &args) {
  const int64_t rows = args.rows.dims[0], rowBytes = static_cast<int64_t>(args.cache.bytes()) / rows;
  const int32_t *sources = args.rows.as<int32_t>();
  auto moves = [&](int64_t row) { return sources[row] >= 0 && sources[row] < rows && sources[row] != row; };
  const int64_t share = std::min(rowBytes, kScratchBytes / rows / kShareBytes * kShareBytes), pieces = (rowBytes + share - 1) / share;
  char *cache = args.cache.as<char>();
  parallelFor(context, pieces, 1, [&](int64_t begin, int64_t end) {
    char kept[kScratchBytes];
    for (int64_t piece = begin; piece < end; ++piece) {
      const int64_t from = piece * share;
      const auto bytes = static_cast<size_t>(std::min(share, rowBytes - from));
      for (int64_t row = 0; row < rows; ++row)
        if (moves(row))
          std::memcpy(kept + row * share, cache + sources[row] * rowBytes + from, bytes);
      for (int64_t row = 0; row < rows; ++row)
        if (moves(row))
          std::memcpy(cache + row * rowBytes + from, kept + row * share, bytes);
    }
  });
}

} // namespace zp::rt::cpu

// How a 4-bit weight is cut for a product on a device: a panel of it is dequantised and multiplied by at a time.
#ifndef ZP_RUNTIME_KERNELS_NF4_MATMUL_CUDA_PANELS_H
#define ZP_RUNTIME_KERNELS_NF4_MATMUL_CUDA_PANELS_H

#include <algorithm>
#include <cstdint>
#include <utility>

namespace zp::rt::cuda {

/// A product of [m,k] with [k,n] on so many multiprocessors, `columnBytes` of the weight for each of its n columns.
struct CutProduct {
  int64_t m = 0, n = 0, k = 0, multiprocessors = 1;
  uint64_t columnBytes = 0;
};

/// A panel is `columns` columns of the target (the last may be narrower); 0: there is no room for one.
struct PanelWidth {
  int64_t columns = 0;
  int64_t cost = INT64_MAX; ///< of the product with all of its panels, in tiles that one multiprocessor computes
};

// By 790 TFLOP/s, 4 TB/s and 4 us for the launches of a panel (an H200's, by paper): what the ratios below are made of.
constexpr int64_t kTileRows = 128, kTileColumns = 256; // of a target, what a multiprocessor computes at a time
constexpr int64_t kDecodedColumns = 130;               // of a weight, which the device dequantises as long as one multiprocessor needs for a tile
constexpr int64_t kLaunchDepth = 364;                  // of sums, whose tile takes as long as a panel's launches

/// Of panels that are dequantised one ahead of the product (`ahead`), the multiprocessors that a product's last wave leaves idle do that.
inline PanelWidth widthOf(const CutProduct &p, int64_t columns, bool ahead) {
  const int64_t full = p.n / columns, rest = p.n % columns, panels = full + (rest > 0);
  int64_t busy = 0, idle = 0;
  for (auto [width, count] : {std::pair(columns, full), std::pair(rest, rest > 0 ? int64_t{1} : 0)}) {
    const int64_t tiles = (p.m + kTileRows - 1) / kTileRows * ((width + kTileColumns - 1) / kTileColumns);
    const int64_t waves = (tiles + p.multiprocessors - 1) / p.multiprocessors * p.multiprocessors;
    busy += count * waves;
    idle += count * (waves - tiles);
  }
  const int64_t decoding = p.n / kDecodedColumns, hidden = ahead ? std::min(idle, decoding * (panels - 1) / panels) : 0;
  return {columns, busy + decoding - hidden + panels * p.multiprocessors * kLaunchDepth / p.k};
}

/// The width whose panels, of at most `room` bytes, cost least; the widest of several.
inline PanelWidth bestWidth(const CutProduct &p, uint64_t room, bool ahead) {
  const int64_t fitting = std::min(p.n, static_cast<int64_t>(room / p.columnBytes));
  if (fitting == 0)
    return {};
  PanelWidth best = widthOf(p, fitting == p.n || fitting < kTileRows ? fitting : fitting / kTileRows * kTileRows, ahead);
  for (int64_t columns = (best.columns - 1) / kTileRows * kTileRows; columns > 0; columns -= kTileRows)
    if (const PanelWidth other = widthOf(p, columns, ahead); other.cost < best.cost)
      best = other;
  return best;
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_NF4_MATMUL_CUDA_PANELS_H

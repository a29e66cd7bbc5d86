// How 4-bit weights are cut for a GPU: the shapes of Llama-2 on an H200 (132 multiprocessors) and an A100 (108).
#include "runtime/kernels/nf4_matmul/cuda_panels.h"

#include <gtest/gtest.h>

namespace zp::rt::cuda {
namespace {

constexpr uint64_t kRoom = 64u << 20; // of the target

struct Shape {
  int64_t n, k; // outputs, inputs
};
constexpr Shape kLlama[] = {{4096, 4096}, {11008, 4096}, {4096, 11008}, {8192, 8192}, {28672, 8192}, {8192, 28672}}; // 7B, 70B

CutProduct productOf(Shape shape, int64_t m, int64_t multiprocessors) {
  return {m, shape.n, shape.k, multiprocessors, static_cast<uint64_t>(shape.k) * 2};
}

/// Of the time for which a product cut so holds the multiprocessors, the part in which they compute tiles.
double busyShare(const CutProduct &p, int64_t columns) {
  double tiles = 0, slots = 0;
  for (int64_t first = 0; first < p.n; first += columns) {
    const int64_t width = std::min(columns, p.n - first), count = (p.m + 127) / 128 * ((width + 255) / 256);
    tiles += static_cast<double>(count);
    slots += static_cast<double>((count + p.multiprocessors - 1) / p.multiprocessors * p.multiprocessors);
  }
  return tiles / slots;
}

TEST(NF4Panels, FillTheDevice) {
  for (auto [multiprocessors, tokens, least] : {std::tuple{132, 8192, 0.94}, {132, 4096, 0.94}, {108, 8192, 0.9}})
    for (Shape shape : kLlama) {
      const CutProduct p = productOf(shape, tokens, multiprocessors);
      const PanelWidth width = bestWidth(p, kRoom, false);
      EXPECT_GE(busyShare(p, width.columns), least) << shape.n << "x" << shape.k << ", " << tokens << " tokens: panels of " << width.columns;
    }
}

TEST(NF4Panels, FitTheRoomInWholeTiles) {
  for (uint64_t room : {uint64_t{1} << 20, kRoom / 2, kRoom})
    for (Shape shape : kLlama)
      for (bool ahead : {false, true}) {
        const CutProduct p = productOf(shape, 2048, 132);
        const PanelWidth width = bestWidth(p, room, ahead);
        EXPECT_GT(width.columns, 0);
        EXPECT_LE(static_cast<uint64_t>(width.columns) * p.columnBytes, room);
        EXPECT_TRUE(width.columns % kTileRows == 0 || width.columns < kTileRows) << width.columns;
      }
}

TEST(NF4Panels, SmallRoomsAndWeights) {
  const CutProduct p = productOf({300, 1000}, 50, 132);
  EXPECT_EQ(bestWidth(p, p.columnBytes - 1, false).columns, 0);
  EXPECT_EQ(bestWidth(p, p.columnBytes, false).columns, 1);
  EXPECT_EQ(bestWidth(p, 100 * p.columnBytes, false).columns, 100);
  EXPECT_EQ(bestWidth(p, 299 * p.columnBytes, false).columns, 256);
  EXPECT_EQ(bestWidth(p, 300 * p.columnBytes, false).columns, 300); // the weight as a whole
}

// 32 rows of tiles by 9 columns are 288 of 396 places: the 108 that are left dequantise what comes next.
TEST(NF4Panels, WhatIdlesDequantises) {
  const CutProduct p = productOf({2 * 9 * kTileColumns, 4096}, 32 * kTileRows, 132);
  const int64_t columns = 9 * kTileColumns, decoding = p.n / kDecodedColumns;
  EXPECT_EQ(widthOf(p, columns, false).cost - widthOf(p, columns, true).cost, decoding / 2); // the second of two panels
  EXPECT_EQ(widthOf(p, p.n, false).cost, widthOf(p, p.n, true).cost);                        // nothing comes next
}

// The cases of the conformance suite that are to be filled in turn on the emulated device.
TEST(NF4Panels, ConformanceFillsInTurn) {
  const CutProduct panels = productOf({2304, 1024}, 20, 2), kept = productOf({1100, 2100}, 20, 2);
  EXPECT_LE(bestWidth(panels, 768 * panels.columnBytes, true).cost, bestWidth(panels, 1536 * panels.columnBytes, false).cost);
  EXPECT_LE(bestWidth(kept, 550 * kept.columnBytes, true).cost, widthOf(kept, kept.n, false).cost);
}

} // namespace
} // namespace zp::rt::cuda

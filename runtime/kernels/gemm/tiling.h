// How the result of a product is cut into tiles, for a number of threads. Only time depends on it.
#ifndef ZP_RUNTIME_KERNELS_GEMM_TILING_H
#define ZP_RUNTIME_KERNELS_GEMM_TILING_H

#include <algorithm>
#include <cstdint>

namespace zp::rt {

struct Tile {
  int64_t row, rows, column, columns;
};

/// The largest tile and what its sides are multiples of. Wider ones than `wideColumns` are cut before rows are: B is packed for each tile.
struct TileLimits {
  int64_t rows, columns, rowStep, columnStep, wideColumns;
};

struct Tiling {
  int64_t rowTiles, columnTiles, tileRows, tileColumns;

  Tiling(int64_t m, int64_t n, const TileLimits &limits, int threads) {
    rowTiles = (m + limits.rows - 1) / limits.rows;
    columnTiles = (n + limits.columns - 1) / limits.columns;
    cut(m, n, limits);
    while (threads > 1 && rowTiles * columnTiles < 3 * threads) {
      if (tileColumns > limits.wideColumns)
        columnTiles *= 2;
      else if (tileRows > 96)
        rowTiles *= 2;
      else if (tileColumns > 2 * limits.columnStep)
        columnTiles *= 2;
      else
        break;
      cut(m, n, limits);
    }
  }
  int64_t count() const { return rowTiles * columnTiles; }
  /// Row tiles of one column tile follow each other.
  Tile tile(int64_t index, int64_t m, int64_t n) const {
    int64_t row = index % rowTiles * tileRows, column = index / rowTiles * tileColumns;
    return {row, std::min(tileRows, m - row), column, std::min(tileColumns, n - column)};
  }
  static int64_t roundUp(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

private:
  void cut(int64_t m, int64_t n, const TileLimits &limits) {
    tileRows = roundUp((m + rowTiles - 1) / rowTiles, limits.rowStep);
    tileColumns = roundUp((n + columnTiles - 1) / columnTiles, limits.columnStep);
    rowTiles = (m + tileRows - 1) / tileRows;
    columnTiles = (n + tileColumns - 1) / tileColumns;
  }
};

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_GEMM_TILING_H

// The second operand of a product as the packing sees it: rows of elements, wherever they come from.
//
// Plain elements are read where they lie; 4-bit codes are decoded into the caller's scratch, a block of a few rows at a time. So
// the loops above need not know which of the two a weight is, and both give them the same elements, hence the same bits.
#if defined(ZP_RUNTIME_KERNELS_GEMM_ROW_SOURCE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_RUNTIME_KERNELS_GEMM_ROW_SOURCE_INL_H
#undef ZP_RUNTIME_KERNELS_GEMM_ROW_SOURCE_INL_H
#else
#define ZP_RUNTIME_KERNELS_GEMM_ROW_SOURCE_INL_H
#endif

#include "hwy/cache_control.h"

#include "runtime/kernels/gemm/gemm.h"
#include "runtime/kernels/quant/decode-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

template <typename T> struct RowBlock {
  const T *data;
  int64_t stride;
};

/// Elements between decoded rows of that length: even, so that pairs of bf16 may be moved as words.
constexpr int64_t decodedStride(int64_t columns) { return columns + columns % 2; }

template <typename T> class RowSource {
public:
  RowSource(const void *data, int64_t stride) : data(static_cast<const T *>(data)), stride(stride) {}
  explicit RowSource(const QuantMatrix &matrix) : quant(&matrix) {}

  /// The codes, if that is what elements come from, or null.
  HWY_INLINE const QuantMatrix *codes() const { return quant; }

  /// Of plain elements: where one lies, and how far the next row is.
  HWY_INLINE const T *at(int64_t row, int64_t column) const { return data + row * stride + column; }
  HWY_INLINE int64_t rowStride() const { return stride; }

  /// rows × columns elements from (row, column) on. `scratch` has room for rows · decodedStride(columns).
  HWY_INLINE RowBlock<T> block(int64_t row, int64_t rows, int64_t column, int64_t columns, T *scratch) const {
    if (!quant)
      return {data + row * stride + column, stride};
    for (int64_t i = 0; i < rows; ++i)
      decodeRun(*quant, (row + i) * quant->columns + column, columns, scratch + i * decodedStride(columns));
    return {scratch, decodedStride(columns)};
  }

  /// Asks for what a block needs, which may lie behind the matrix. Rows lie far apart: the CPU does not foresee them.
  HWY_INLINE void prefetch(int64_t row, int64_t rows, int64_t column, int64_t columns) const {
    for (int64_t i = row; i < row + rows; ++i)
      if (quant)
        quant->prefetch(i * quant->columns + column, columns);
      else
        for (int64_t j = 0; j < columns; j += 64 / static_cast<int64_t>(sizeof(T)))
          hwy::Prefetch(data + i * stride + column + j);
  }

private:
  const T *data = nullptr;
  int64_t stride = 0;
  const QuantMatrix *quant = nullptr;
};

/// What a tile multiplies: rows of A, which lie as [k][m] when transposed, by B.
template <typename T> struct Factors {
  const T *a;
  int64_t lda;
  bool transposeA;
  RowSource<T> b;
  int64_t k;
};

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

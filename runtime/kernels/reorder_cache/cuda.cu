#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"
#include "runtime/schema/limits.h"

namespace zp::rt::cuda {
namespace {

// A row's part of a strip has room for a pack at least, of the widest elements.
static_assert(kMaxCacheRows * kPack * sizeof(float) <= kScratchBytes);

/// A strip of all rows goes to the scratch in its new order, then back: nothing is overwritten before it has been read.
template <typename T> struct ReadRows {
  const int32_t *rows;
  const T *cache;
  T *moved;
  int64_t count, elements, first, strip;
  ZP_DEVICE void operator()(auto row, auto column, auto n) const {
    const int64_t source = rows[row] >= 0 && rows[row] < count ? rows[row] : static_cast<int64_t>(row);
    float values[kPack];
    load(cache + source * elements + first + column, n, values);
    store(moved + strip * row + column, n, values);
  }
};
template <typename T> struct WriteRows {
  const T *moved;
  T *cache;
  int64_t elements, first, strip;
  ZP_DEVICE void operator()(auto row, auto column, auto n) const {
    float values[kPack];
    load(moved + strip * row + column, n, values);
    store(cache + elements * row + first + column, n, values);
  }
};

} // namespace

Status run(const Context &context, const ReorderCacheArgs &args) {
  const int64_t rows = args.rows.dims[0], elements = args.cache.elements() / rows;
  withElement(args.cache.dtype, [&](auto element) {
    using T = decltype(element);
    auto *moved = static_cast<T *>(context.scratch);
    T *cache = args.cache.as<T>();                                                         // its second row tells where the others begin
    int64_t room = static_cast<int64_t>(kScratchBytes / sizeof(T)) / rows / kPack * kPack; // packs stay whole
    room = room < elements ? room : elements;
    for (int64_t first = 0; first < elements; first += room) {
      const int64_t strip = elements - first < room ? elements - first : room;
      forRows(context, rows, strip, ReadRows<T>{args.rows.as<int32_t>(), cache, moved, rows, elements, first, strip}, cache, cache + elements, moved);
      forRows(context, rows, strip, WriteRows<T>{moved, cache, elements, first, strip}, cache, cache + elements, moved);
    }
  });
  return {};
}

} // namespace zp::rt::cuda

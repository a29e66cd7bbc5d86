#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

template <typename T> struct Embedding {
  const T *table;
  const int32_t *ids;
  T *target;
  int64_t vocabulary, width, offset;
  ZP_DEVICE void operator()(auto token, auto column, auto count) const {
    const int64_t id = ids[token], row = id + offset; // padding is none, wherever the offset leads
    float values[kPack] = {};
    if (id >= 0 && row < vocabulary)
      load(table + row * width + column, count, values);
    store(target + width * token + column, count, values);
  }
};

} // namespace

Status run(const Context &context, const EmbeddingArgs &args) {
  withElement(args.table.dtype, [&](auto element) {
    using T = decltype(element);
    const Embedding<T> body{args.table.as<T>(), args.ids.as<int32_t>(), args.target.as<T>(), args.table.dims[0], args.table.dims[1], args.offset};
    forRows(context, args.target.dims[0], args.target.dims[1], body, body.table, body.target);
  });
  return {};
}

} // namespace zp::rt::cuda

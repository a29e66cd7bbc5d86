#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"

#include <cstring>

namespace zp::rt::cpu {

void run(const KernelContext &context, const AppendCacheArgs &args) {
  const int64_t rows = args.source.dims[0] / args.length, places = args.cache.dims[0] / rows;
  const auto bytes = static_cast<int64_t>(bytesOf(args.source.dtype, args.source.dims[1]));
  // A row's tokens in order: of two with one place the last counts.
  parallelFor(context, rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin * args.length; t < end * args.length; ++t) {
      const int64_t place = args.positions.as<int32_t>()[t];
      if (place >= 0 && place < places)
        std::memcpy(args.cache.as<char>() + (t / args.length * places + place) * bytes, args.source.as<char>() + t * bytes,
                    static_cast<size_t>(bytes));
    }
  });
}

} // namespace zp::rt::cpu

#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"

#include <cstring>

namespace zp::rt::cpu {

void run(const KernelContext &context, const EmbeddingArgs &args) {
  int64_t vocabulary = args.table.dims[0];
  auto rowBytes = static_cast<int64_t>(bytesOf(args.table.dtype, args.table.dims[1]));
  const int32_t *ids = args.ids.as<int32_t>();
  parallelFor(context, args.ids.dims[0], 16, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      char *target = args.target.as<char>() + t * rowBytes;
      const int64_t row = ids[t] + args.offset;
      if (ids[t] >= 0 && row < vocabulary)
        std::memcpy(target, args.table.as<char>() + row * rowBytes, rowBytes);
      else // the host has refused such ids; other data reads zeros, not foreign memory
        std::memset(target, 0, rowBytes);
    }
  });
}
} // namespace zp::rt::cpu

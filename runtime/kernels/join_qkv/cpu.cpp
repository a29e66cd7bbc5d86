#include <algorithm>
#include <cstring>

#include "runtime/kernels/fused_heads.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"

namespace zp::rt::cpu {

void run(const KernelContext &context, const JoinQkvArgs &args) {
  const FusedHeads layout(args.heads, args.kvHeads, args.target.dims[1]);
  const auto element = static_cast<int64_t>(bytesOf(args.target.dtype, 1));
  const int64_t queryBytes = layout.queryWidth() * element, headBytes = layout.headDim * element;
  auto put = [](char *to, const TensorView &part, int64_t offset, int64_t bytes) {
    part ? std::memcpy(to, part.as<char>() + offset, bytes) : std::memset(to, 0, bytes);
  };
  parallelFor(context, args.target.dims[0], std::max<int64_t>(1, kElementwiseGrain / args.target.dims[1]), [&](int64_t begin, int64_t end) {
    for (int64_t group = begin * layout.kvHeads; group < end * layout.kvHeads; ++group) {
      char *to = args.target.as<char>() + group * layout.groupWidth() * element;
      put(to, args.query, group * queryBytes, queryBytes);
      put(to + queryBytes, args.key, group * headBytes, headBytes);
      put(to + queryBytes + headBytes, args.value, group * headBytes, headBytes);
    }
  });
}

} // namespace zp::rt::cpu

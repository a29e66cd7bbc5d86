#include <algorithm>
#include <cstring>

#include "runtime/kernels/fused_heads.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"

namespace zp::rt::cpu {

void run(const KernelContext &context, const SplitQkvArgs &args) {
  const FusedHeads layout(args.heads, args.kvHeads, args.source.dims[1]);
  const auto element = static_cast<int64_t>(bytesOf(args.source.dtype, 1));
  const int64_t queryBytes = layout.queryWidth() * element, headBytes = layout.headDim * element;
  parallelFor(context, args.source.dims[0], std::max<int64_t>(1, kElementwiseGrain / args.source.dims[1]), [&](int64_t begin, int64_t end) {
    // The groups of all tokens follow each other, here and in the parts.
    for (int64_t group = begin * layout.kvHeads; group < end * layout.kvHeads; ++group) {
      const char *from = args.source.as<char>() + group * layout.groupWidth() * element;
      std::memcpy(args.query.as<char>() + group * queryBytes, from, queryBytes);
      std::memcpy(args.key.as<char>() + group * headBytes, from + queryBytes, headBytes);
      std::memcpy(args.value.as<char>() + group * headBytes, from + queryBytes + headBytes, headBytes);
    }
  });
}

} // namespace zp::rt::cpu

#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/embedding_gradient/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

template <typename T> static void addRows(const KernelContext &context, const EmbeddingGradientArgs &args) {
  const int64_t tokens = args.ids.dims[0], vocabulary = args.gradTable.dims[0], width = args.gradTable.dims[1];
  const int32_t *ids = args.ids.as<int32_t>();
  const T *gradOut = args.gradOut.as<T>();
  float *gradTable = args.gradTable.as<float>();
  // Threads own columns, so that tokens that share a row of the table are added in their order.
  parallelFor(context, width, 64, [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    for (int64_t t = 0; t < tokens; ++t) {
      const int64_t row = ids[t] + args.offset;
      if (ids[t] < 0 || row >= vocabulary || ids[t] == args.padding)
        continue;
      const T *from = gradOut + t * width;
      float *to = gradTable + row * width;
      forVectors(begin, end, [&](int64_t i, auto vector) HWY_ATTR { vector(d, hn::Add(vector(d, to + i), vector(d, from + i)), to + i); });
    }
  });
}

void embeddingGradientCpu(const KernelContext &context, const EmbeddingGradientArgs &args) {
  forComputeType(args.gradOut.dtype, [&](auto element) { addRows<decltype(element)>(context, args); });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(embeddingGradientCpu);
namespace cpu {
void run(const KernelContext &context, const EmbeddingGradientArgs &args) { HWY_DYNAMIC_DISPATCH(embeddingGradientCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif

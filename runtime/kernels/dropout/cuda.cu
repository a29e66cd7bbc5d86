#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"
#include "runtime/kernels/cuda/philox.h"
#include "runtime/schema/step_scalars.h"

namespace zp::rt::cuda {
namespace {

template <typename T> struct Dropout {
  const T *source;
  const StepScalars *scalars;
  T *target;
  int64_t rowElements; ///< of an update row
  uint64_t threshold;
  uint32_t site;
  float keep; ///< 1 - probability
  ZP_DEVICE void operator()(int64_t i, int count) const {
    float values[kPack];
    load(source + i, count, values);
    int64_t row = i / rowElements, place = i % rowElements;
    Words words{};
    for (int e = 0; e < count; ++e) {
      if (e == 0 || place % 4 == 0)
        words = philox({{static_cast<uint32_t>(place / 4), scalars->rowBase + static_cast<uint32_t>(row), site, scalars->optimizerStep}},
                       static_cast<uint32_t>(scalars->seed), static_cast<uint32_t>(scalars->seed >> 32));
      values[e] = words.at[place % 4] >= threshold ? values[e] / keep : 0.0f;
      if (++place == rowElements) {
        place = 0;
        ++row;
      }
    }
    store(target + i, count, values);
  }
};

} // namespace

Status run(const Context &context, const DropoutArgs &args) {
  withElement(args.source.dtype, [&](auto element) {
    using T = decltype(element);
    forElements(context, args.source.elements(),
                Dropout<T>{args.source.as<T>(), args.scalars.as<StepScalars>(), args.target.as<T>(), args.length * args.source.dims[1],
                           dropoutThreshold(args.probability), static_cast<uint32_t>(args.site), static_cast<float>(1 - args.probability)});
  });
  return {};
}

} // namespace zp::rt::cuda

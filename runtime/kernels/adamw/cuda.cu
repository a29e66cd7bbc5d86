#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"
#include "runtime/schema/step_scalars.h"

namespace zp::rt::cuda {
namespace {

/// T: of the compute copy.
template <typename T> struct Adamw {
  const float *gradients, *coefficient;
  const StepScalars *scalars;
  float *masters, *moments1, *moments2;
  T *copies;
  double weightDecay;
  float beta2, new1, new2, epsilon; ///< newN: 1 - betaN
  int64_t decayed;                  ///< elements below it decay
  ZP_DEVICE void operator()(int64_t i, auto count) const {
    const double rate = scalars->learningRate;
    const float keep = static_cast<float>(1 - rate * weightDecay), step = static_cast<float>(rate / scalars->biasCorrection1);
    const float root = static_cast<float>(sqrt(static_cast<double>(scalars->biasCorrection2))), clip = *coefficient;
    float g[kPack], master[kPack], moment1[kPack], moment2[kPack];
    load(gradients + i, count, g);
    load(masters + i, count, master);
    if (clip == 0) { // an overflow: only the copy is written
      if (copies)
        store(copies + i, count, master);
      return;
    }
    load(moments1 + i, count, moment1);
    load(moments2 + i, count, moment2);
    for (int e = 0; e < kPack; ++e) {
      const float gradient = clip * g[e];
      moment1[e] += new1 * (gradient - moment1[e]);
      moment2[e] = beta2 * moment2[e] + new2 * gradient * gradient;
      master[e] = master[e] * (i + e < decayed ? keep : 1.0f) - step * moment1[e] / (sqrtf(moment2[e]) / root + epsilon);
    }
    store(masters + i, count, master);
    store(moments1 + i, count, moment1);
    store(moments2 + i, count, moment2);
    if (copies)
      store(copies + i, count, master);
  }
};

} // namespace

Status run(const Context &context, const AdamwArgs &args) {
  const int64_t elements = args.gradient.elements();
  withElement(args.computeCopy ? args.computeCopy.dtype : DType::F32, [&](auto element) {
    using T = decltype(element);
    const Adamw<T> body{args.gradient.as<float>(),
                        args.coefficient.as<float>(),
                        args.scalars.as<StepScalars>(),
                        args.master.as<float>(),
                        args.moment1.as<float>(),
                        args.moment2.as<float>(),
                        args.computeCopy.as<T>(),
                        args.weightDecay,
                        static_cast<float>(args.beta2),
                        static_cast<float>(1 - args.beta1),
                        static_cast<float>(1 - args.beta2),
                        static_cast<float>(args.epsilon),
                        args.decayEnd - (args.sharded ? context.rank * elements : 0)};
    forElements(context, elements, body, body.gradients, body.masters, body.moments1, body.moments2, body.copies);
  });
  return {};
}

} // namespace zp::rt::cuda

#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/schema/step_scalars.h"

#include <cmath>

#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/adamw/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

void adamwCpu(const KernelContext &context, const AdamwArgs &args) {
  const StepScalars &scalars = *args.scalars.as<StepScalars>();
  const int64_t count = args.gradient.elements();
  const int64_t decayed = args.decayEnd - (args.sharded ? context.rank * count : 0); // elements of this slice below it decay
  const float *gradients = args.gradient.as<float>();
  float *masters = args.master.as<float>(), *moments1 = args.moment1.as<float>(), *moments2 = args.moment2.as<float>();
  Bf16 *copies = args.computeCopy.dtype == DType::BF16 ? args.computeCopy.as<Bf16>() : nullptr;
  F16 *copies16 = args.computeCopy.dtype == DType::F16 ? args.computeCopy.as<F16>() : nullptr;
  const double rate = scalars.learningRate;
  const auto keep = static_cast<float>(1 - rate * args.weightDecay);
  const auto stepSize = static_cast<float>(rate / static_cast<double>(scalars.biasCorrection1));
  const auto correction = static_cast<float>(std::sqrt(static_cast<double>(scalars.biasCorrection2)));
  const float coefficient = *args.coefficient.as<float>();
  auto writeCopy = [&](int64_t i, VF32 master, auto vector) HWY_ATTR {
    const F32 d;
    if (copies)
      vector(d, master, copies + i);
    else if (copies16)
      vector(d, master, copies16 + i);
  };
  if (coefficient == 0) // an overflow: only the copy is written
    return parallelFor(context, args.computeCopy ? count : 0, kElementwiseGrain, [&](int64_t begin, int64_t end) HWY_ATTR {
      forVectors(begin, end, [&](int64_t i, auto vector) HWY_ATTR { writeCopy(i, vector(F32(), masters + i), vector); });
    });
  parallelFor(context, count, kElementwiseGrain, [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    auto update = [&](int64_t from, int64_t to, float decay) HWY_ATTR {
      const VF32 c = hn::Set(d, coefficient), factor = hn::Set(d, decay), step = hn::Set(d, stepSize);
      const VF32 new1 = hn::Set(d, static_cast<float>(1 - args.beta1)), new2 = hn::Set(d, static_cast<float>(1 - args.beta2));
      const VF32 old2 = hn::Set(d, static_cast<float>(args.beta2)), root = hn::Set(d, correction);
      const VF32 epsilon = hn::Set(d, static_cast<float>(args.epsilon));
      forVectors(from, to, [&](int64_t i, auto vector) HWY_ATTR {
        const VF32 gradient = hn::Mul(c, vector(d, gradients + i));
        VF32 master = hn::Mul(factor, vector(d, masters + i));
        VF32 moment1 = vector(d, moments1 + i), moment2 = vector(d, moments2 + i);
        moment1 = hn::MulAdd(new1, hn::Sub(gradient, moment1), moment1);
        moment2 = hn::MulAdd(hn::Mul(new2, gradient), gradient, hn::Mul(old2, moment2));
        const VF32 denominator = hn::Add(hn::Div(hn::Sqrt(moment2), root), epsilon);
        master = hn::Sub(master, hn::Div(hn::Mul(step, moment1), denominator));
        vector(d, moment1, moments1 + i);
        vector(d, moment2, moments2 + i);
        vector(d, master, masters + i);
        writeCopy(i, master, vector);
      });
    };
    const int64_t border = HWY_MIN(HWY_MAX(decayed, begin), end);
    update(begin, border, keep);
    update(border, end, 1.0f);
  });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(adamwCpu);
namespace cpu {
void run(const KernelContext &context, const AdamwArgs &args) { HWY_DYNAMIC_DISPATCH(adamwCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif

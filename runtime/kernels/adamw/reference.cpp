#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"
#include "runtime/schema/step_scalars.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const AdamwArgs &args) {
  const StepScalars &scalars = *args.scalars.as<StepScalars>();
  int64_t count = args.gradient.elements(), first = args.sharded ? context.rank * count : 0;
  double coefficient = *args.coefficient.as<float>(), rate = scalars.learningRate;
  for (int64_t i = 0; i < count; ++i) {
    double gradient = coefficient * loadElement(args.gradient, i);
    double master = loadElement(args.master, i), moment1 = loadElement(args.moment1, i), moment2 = loadElement(args.moment2, i);
    if (coefficient != 0) {
      if (first + i < args.decayEnd)
        master *= 1 - rate * args.weightDecay;
      moment1 += (1 - args.beta1) * (gradient - moment1);
      moment2 = args.beta2 * moment2 + (1 - args.beta2) * gradient * gradient;
      master -= rate / scalars.biasCorrection1 * moment1 / (std::sqrt(moment2) / std::sqrt(scalars.biasCorrection2) + args.epsilon);
      storeElement(args.master, i, master);
      storeElement(args.moment1, i, moment1);
      storeElement(args.moment2, i, moment2);
    }
    if (args.computeCopy)
      storeElement(args.computeCopy, i, loadElement(args.master, i));
  }
}

} // namespace zp::rt::reference

#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"

#include <cmath>

namespace zp::rt {

Status check(const AdamwArgs &args) {
  auto fraction = [](double value) { return value >= 0 && value < 1; };
  return Checker(args)
      .operands()
      .dtype(args.gradient, {DType::F32})
      .tensor(args.coefficient, DType::F32, {1})
      .scalars(args.scalars)
      .dtype(args.master, {DType::F32})
      .dtype(args.moment1, {DType::F32})
      .dtype(args.moment2, {DType::F32})
      .dtype(args.computeCopy, {DType::BF16, DType::F16})
      .sameElements(args.master, args.gradient)
      .sameElements(args.moment1, args.gradient)
      .sameElements(args.moment2, args.gradient)
      .sameElements(args.computeCopy, args.gradient)
      .rule(fraction(args.beta1), "beta1 is " + std::to_string(args.beta1), "0 or more and below 1")
      .rule(fraction(args.beta2), "beta2 is " + std::to_string(args.beta2), "0 or more and below 1")
      .rule(args.epsilon >= 0 && std::isfinite(args.epsilon), "epsilon is " + std::to_string(args.epsilon), "0 or more")
      .finite("weight_decay", args.weightDecay)
      .attribute("decay_end", args.decayEnd, 0, INT64_MAX)
      .status();
}

} // namespace zp::rt

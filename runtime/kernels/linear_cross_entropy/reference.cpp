#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"
#include "runtime/schema/step_scalars.h"

#include <algorithm>
#include <vector>

namespace zp::rt::reference {

void run(const KernelContext &context, const LinearCrossEntropyArgs &args) {
  int64_t tokens = args.hidden.dims[0], width = args.hidden.dims[1], vocabulary = args.weight.dims[0];
  DType f = args.hidden.dtype;
  const double lossScale = args.scalars ? args.scalars.as<StepScalars>()->lossScale : 1;
  std::vector<double> logits(vocabulary);
  auto *sums = args.lossSum.as<double>();
  const int64_t pairs = std::max<int64_t>(1, static_cast<int64_t>(args.lossSum.elements()) / 2);
  for (int64_t t = 0; t < tokens; ++t) {
    // The chunk size changes where sums are held, not their values: the oracle goes token by token.
    int64_t label = (t + 1) % args.length != 0 ? args.labels.as<int32_t>()[t + 1] : -100;
    bool counted = label >= 0 && label < vocabulary;
    if (!counted) {
      for (int64_t d = 0; args.gradHidden && d < width; ++d)
        storeElement(args.gradHidden, t * width + d, 0);
      continue;
    }
    double largest = -INFINITY, sum = 0;
    for (int64_t v = 0; v < vocabulary; ++v) {
      double dot = 0;
      for (int64_t d = 0; d < width; ++d)
        dot += loadElement(args.hidden, t * width + d) * loadElement(args.weight, v * width + d);
      logits[v] = roundTo(f, dot);
      largest = std::max(largest, logits[v]);
    }
    for (double logit : logits)
      sum += std::exp(logit - largest);
    double *pair = sums + 2 * (t / (tokens / pairs));
    pair[0] += largest + std::log(sum) - logits[label];
    if (args.lossSum.elements() > 1)
      pair[1] += std::max_element(logits.begin(), logits.end()) - logits.begin() == label;
    for (int64_t v = 0; v < vocabulary; ++v) // from here on: the gradient of the logit
      logits[v] = roundTo(f, lossScale * (std::exp(logits[v] - largest) / sum - (v == label ? 1 : 0)));
    for (int64_t d = 0; args.gradHidden && d < width; ++d) {
      double gradient = 0;
      for (int64_t v = 0; v < vocabulary; ++v)
        gradient += logits[v] * loadElement(args.weight, v * width + d);
      storeElement(args.gradHidden, t * width + d, gradient);
    }
    for (int64_t v = 0; args.gradWeight && v < vocabulary; ++v)
      for (int64_t d = 0; d < width; ++d)
        storeElement(args.gradWeight, v * width + d,
                     loadElement(args.gradWeight, v * width + d) + logits[v] * loadElement(args.hidden, t * width + d));
  }
}

} // namespace zp::rt::reference

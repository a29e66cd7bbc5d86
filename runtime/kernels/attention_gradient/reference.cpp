#include "runtime/kernels/attention/reference.h"
#include "runtime/kernels/kernels.h"

#include <cmath>
#include <vector>

namespace zp::rt::reference {

static void store(const TensorView &target, const std::vector<double> &values) {
  for (size_t i = 0; i < values.size(); ++i)
    storeElement(target, static_cast<int64_t>(i), values[i]);
}

void run(const KernelContext &context, const AttentionGradientArgs &args) {
  int64_t tokens = args.query.dims[0], headDim = args.query.dims[1] / args.heads;
  std::vector<double> gradQuery(args.query.elements()), gradKey(args.key.elements()), gradValue(args.value.elements());
  std::vector<double> gradBias(args.gradBias ? args.gradBias.elements() : 0);
  for (int64_t head = 0; head < args.heads; ++head)
    for (int64_t token = 0; token < tokens; ++token) {
      int64_t q = (token * args.heads + head) * headDim;
      double delta = 0; // Σ_j p·dp, which is Σ_c grad_out·out
      for (int64_t c = 0; c < headDim; ++c)
        delta += loadElement(args.gradOut, q + c) * loadElement(args.out, q + c);
      for (int64_t j = 0; j < args.keyLength; ++j) {
        Pair<AttentionGradientArgs> pair{args, head, token / args.length, token % args.length, j};
        if (!pair.sees())
          continue;
        int64_t kv = pair.key();
        double gradP = 0;
        for (int64_t c = 0; c < headDim; ++c)
          gradP += loadElement(args.gradOut, q + c) * loadElement(args.value, kv + c);
        double p = std::exp(pair.score() - loadElement(args.logSumExp, head * tokens + token)), kept = pair.kept();
        double gradScore = p * (kept * gradP - delta);
        if (args.gradBias)
          gradBias[static_cast<size_t>(pair.bias())] += gradScore;
        for (int64_t c = 0; c < headDim; ++c) {
          gradQuery[q + c] += args.scale * gradScore * loadElement(args.key, kv + c);
          gradKey[kv + c] += args.scale * gradScore * loadElement(args.query, q + c);
          gradValue[kv + c] += kept * p * loadElement(args.gradOut, q + c);
        }
      }
    }
  store(args.gradQuery, gradQuery);
  store(args.gradKey, gradKey);
  store(args.gradValue, gradValue);
  store(args.gradBias, gradBias);
}

} // namespace zp::rt::reference

#include "runtime/kernels/kernels.h"
#include "runtime/kernels/numeric.h"
#include "runtime/kernels/attention/visible.h"

#include <vector>

namespace zp::rt::reference {

void run(const KernelContext &context, const AttentionGradientArgs &args) {
  int64_t tokens = args.query.dims[0], headDim = args.query.dims[1] / args.heads, group = args.heads / args.kvHeads;
  std::vector<double> gradQuery(args.query.elements()), gradKey(args.key.elements()), gradValue(args.value.elements());
  for (int64_t head = 0; head < args.heads; ++head)
    for (int64_t i = 0; i < tokens; ++i) {
      int64_t q = (i * args.heads + head) * headDim;
      double delta = 0; // Σ_j p·dp, which is Σ_c grad_out·out
      for (int64_t c = 0; c < headDim; ++c)
        delta += loadElement(args.gradOut, q + c) * loadElement(args.out, q + c);
      for (int64_t j = firstVisible(i, args.length, args.window); j <= i; ++j) {
        if (!isVisible(i, j, args.segments.as<int32_t>(), args.length, args.window))
          continue;
        int64_t kv = (j * args.kvHeads + head / group) * headDim;
        double score = 0, gradP = 0;
        for (int64_t c = 0; c < headDim; ++c) {
          score += loadElement(args.query, q + c) * loadElement(args.key, kv + c);
          gradP += loadElement(args.gradOut, q + c) * loadElement(args.value, kv + c);
        }
        double p = std::exp(args.scale * score - loadElement(args.logSumExp, head * tokens + i));
        double gradScore = args.scale * p * (gradP - delta);
        for (int64_t c = 0; c < headDim; ++c) {
          gradQuery[q + c] += gradScore * loadElement(args.key, kv + c);
          gradKey[kv + c] += gradScore * loadElement(args.query, q + c);
          gradValue[kv + c] += p * loadElement(args.gradOut, q + c);
        }
      }
    }
  for (size_t i = 0; i < gradQuery.size(); ++i)
    storeElement(args.gradQuery, static_cast<int64_t>(i), gradQuery[i]);
  for (size_t i = 0; i < gradKey.size(); ++i) {
    storeElement(args.gradKey, static_cast<int64_t>(i), gradKey[i]);
    storeElement(args.gradValue, static_cast<int64_t>(i), gradValue[i]);
  }
}

} // namespace zp::rt::reference

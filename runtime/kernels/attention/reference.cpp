#include "runtime/kernels/kernels.h"
#include "runtime/kernels/numeric.h"
#include "runtime/kernels/attention/visible.h"

#include <algorithm>
#include <vector>

namespace zp::rt::reference {

void run(const KernelContext &context, const AttentionArgs &args) {
  int64_t tokens = args.query.dims[0], headDim = args.query.dims[1] / args.heads, group = args.heads / args.kvHeads;
  for (int64_t head = 0; head < args.heads; ++head)
    for (int64_t i = 0; i < tokens; ++i) {
      std::vector<int64_t> keys;
      std::vector<double> scores;
      for (int64_t j = firstVisible(i, args.length, args.window); j <= i; ++j) {
        if (!isVisible(i, j, args.segments.as<int32_t>(), args.length, args.window))
          continue;
        double dot = 0;
        for (int64_t c = 0; c < headDim; ++c)
          dot += loadElement(args.query, (i * args.heads + head) * headDim + c) *
                 loadElement(args.key, (j * args.kvHeads + head / group) * headDim + c);
        keys.push_back(j);
        scores.push_back(args.scale * dot);
      }
      double largest = *std::max_element(scores.begin(), scores.end()), sum = 0;
      for (double score : scores)
        sum += std::exp(score - largest);
      storeElement(args.logSumExp, head * tokens + i, largest + std::log(sum));
      for (int64_t c = 0; c < headDim; ++c) {
        double out = 0;
        for (size_t n = 0; n < keys.size(); ++n)
          out += std::exp(scores[n] - largest) / sum *
                 loadElement(args.value, (keys[n] * args.kvHeads + head / group) * headDim + c);
        storeElement(args.target, (i * args.heads + head) * headDim + c, out);
      }
    }
}

} // namespace zp::rt::reference

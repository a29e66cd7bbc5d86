#include "runtime/kernels/attention/reference.h"
#include "runtime/kernels/kernels.h"

#include <cmath>
#include <vector>

namespace zp::rt::reference {

void run(const KernelContext &context, const AttentionArgs &args) {
  int64_t tokens = args.query.dims[0], headDim = args.query.dims[1] / args.heads;
  for (int64_t head = 0; head < args.heads; ++head)
    for (int64_t token = 0; token < tokens; ++token) {
      std::vector<int64_t> seen; // elements of key and value
      std::vector<double> scores, kept;
      double largest = -INFINITY, sum = 0;
      for (int64_t j = 0; j < args.keyLength; ++j) {
        Pair<AttentionArgs> pair{args, head, token / args.length, token % args.length, j};
        if (!pair.sees())
          continue;
        seen.push_back(pair.key());
        scores.push_back(pair.score());
        kept.push_back(pair.kept());
        largest = scores.back() > largest || std::isnan(scores.back()) ? scores.back() : largest;
      }
      for (double score : scores)
        sum += std::exp(score - largest);
      storeElement(args.logSumExp, head * tokens + token, seen.empty() ? -INFINITY : largest + std::log(sum));
      for (int64_t c = 0; c < headDim; ++c) {
        double out = 0;
        for (size_t n = 0; n < seen.size(); ++n)
          out += kept[n] * std::exp(scores[n] - largest) / sum * loadElement(args.value, seen[n] + c);
        storeElement(args.target, (token * args.heads + head) * headDim + c, out);
      }
    }
}

} // namespace zp::rt::reference

#include "runtime/kernels/cached_attention/visible.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/numeric.h"

#include <cmath>
#include <vector>

namespace zp::rt::reference {

void run(const KernelContext &context, const CachedAttentionArgs &args) {
  int64_t tokens = args.query.dims[0], headDim = args.query.dims[1] / args.heads, group = args.heads / args.kvHeads;
  int64_t places = args.key.dims[0] / (tokens / args.length);
  for (int64_t t = 0; t < tokens; ++t)
    for (int64_t head = 0; head < args.heads; ++head) {
      auto [first, end] = visiblePlaces(args.positions.as<int32_t>()[t], args.window, places);
      auto cached = [&](int64_t j) { return ((t / args.length * places + j) * args.kvHeads + head / group) * headDim; };
      std::vector<double> scores;
      double largest = -INFINITY, sum = 0;
      for (int64_t j = first; j < end; ++j) {
        double dot = 0;
        for (int64_t c = 0; c < headDim; ++c)
          dot += loadElement(args.query, (t * args.heads + head) * headDim + c) * loadElement(args.key, cached(j) + c);
        scores.push_back(args.scale * dot);
        largest = std::isnan(dot) ? dot : std::max(largest, args.scale * dot);
      }
      for (double score : scores)
        sum += std::exp(score - largest);
      for (int64_t c = 0; c < headDim; ++c) {
        double out = 0;
        for (int64_t j = first; j < end; ++j)
          out += std::exp(scores[static_cast<size_t>(j - first)] - largest) / sum * loadElement(args.value, cached(j) + c);
        storeElement(args.target, (t * args.heads + head) * headDim + c, out);
      }
    }
}

} // namespace zp::rt::reference

#include "runtime/base/numeric.h"
#include "runtime/kernels/attention/visible.h"
#include "runtime/kernels/kernels.h"

#include <cmath>
#include <vector>

namespace zp::rt::reference {

/// The element of the bias that place j of the cache gets from token t.
static int64_t biasOf(const CachedAttentionArgs &args, int64_t t, int64_t head, int64_t j) {
  int64_t places = args.key.dims[0] / (args.query.dims[0] / args.length);
  int64_t position = std::min<int64_t>(args.positions.as<int32_t>()[t], places - 1);
  return args.biasByDistance ? head * (2 * places - 1) + j - position + places - 1 : head * places + j;
}

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
        scores.push_back(args.scale * dot + (args.bias ? loadElement(args.bias, biasOf(args, t, head, j)) : 0));
        largest = std::isnan(scores.back()) ? scores.back() : std::max(largest, scores.back());
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

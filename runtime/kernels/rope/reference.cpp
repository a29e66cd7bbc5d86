#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const RopeArgs &args) {
  int64_t tokens = args.source.dims[0], width = args.source.dims[1], half = args.headDim / 2;
  DType f = args.source.dtype;
  for (int64_t t = 0; t < tokens; ++t)
    for (int64_t head = 0; head < width / args.headDim; ++head)
      for (int64_t i = 0; i < half; ++i) {
        int64_t at1 = t * width + head * args.headDim + i, at2 = at1 + half;
        double x1 = loadElement(args.source, at1), x2 = loadElement(args.source, at2);
        double cosine = loadElement(args.cosine, t * half + i), sine = loadElement(args.sine, t * half + i);
        if (args.inverse)
          sine = -sine;
        storeElement(args.target, at1, roundTo(f, x1 * cosine) - roundTo(f, x2 * sine));
        storeElement(args.target, at2, roundTo(f, x2 * cosine) + roundTo(f, x1 * sine));
      }
}

} // namespace zp::rt::reference

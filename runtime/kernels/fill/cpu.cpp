#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"

#include <algorithm>

namespace zp::rt::cpu {

template <typename T> static void fill(const KernelContext &context, const FillArgs &args, T value) {
  T *target = args.target.as<T>();
  parallelFor(context, args.target.elements(), kElementwiseGrain,
              [&](int64_t begin, int64_t end) { std::fill(target + begin, target + end, value); });
}

void run(const KernelContext &context, const FillArgs &args) {
  auto narrow = static_cast<float>(args.value);
  switch (args.target.dtype) {
  case DType::F32:
    return fill(context, args, narrow);
  case DType::BF16:
    return fill(context, args, floatToBf16(narrow));
  case DType::F16:
    return fill(context, args, floatToF16(narrow));
  case DType::F64:
    return fill(context, args, args.value);
  case DType::I32:
    return fill(context, args, static_cast<int32_t>(args.value));
  case DType::I64:
    return fill(context, args, static_cast<int64_t>(args.value));
  case DType::U8:
    return fill(context, args, static_cast<uint8_t>(args.value));
  }
}
} // namespace zp::rt::cpu

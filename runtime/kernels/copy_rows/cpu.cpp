#include "runtime/kernels/kernels.h"
#include "runtime/schema/step_scalars.h"

#include <algorithm>
#include <cstring>

namespace zp::rt::cpu {

void run(const KernelContext &context, const CopyRowsArgs &args) {
  int64_t first = args.scalars.as<StepScalars>()->firstToken, tokens = args.source.dims[0];
  auto rowBytes = static_cast<int64_t>(bytesOf(args.source.dtype, args.source.dims[1]));
  int64_t rows = args.target.dims[0], there = std::clamp<int64_t>(tokens - first, 0, rows);
  std::memcpy(args.target.data, args.source.as<char>() + (there ? first * rowBytes : 0), there * rowBytes);
  std::memset(args.target.as<char>() + there * rowBytes, 0, (rows - there) * rowBytes);
}
} // namespace zp::rt::cpu

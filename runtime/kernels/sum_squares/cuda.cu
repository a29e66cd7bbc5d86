#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

constexpr int64_t kMaxBlocks = 1024; // their sums fit the scratch

__global__ void blockSquares(const float *source, int64_t elements, double *partial) {
  double sum = 0;
  float values[kPack];
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x * kPack;
  for (int64_t i = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) * kPack; i < elements; i += stride) {
    load(source + i, packAt(i, elements), values);
    for (float value : values)
      sum += static_cast<double>(value) * value;
  }
  sum = reduceBlock(sum, Sum());
  if (threadIdx.x == 0)
    partial[blockIdx.x] = sum;
}

__global__ void addPartials(const double *partial, int64_t count, double *target) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < count; i += blockDim.x)
    sum += partial[i];
  sum = reduceBlock(sum, Sum());
  if (threadIdx.x == 0)
    *target += sum;
}

} // namespace

Status run(const Context &context, const SumSquaresArgs &args) {
  const int64_t elements = args.source.elements();
  int64_t blocks = residentBlocks(context, packsIn(elements));
  blocks = blocks < kMaxBlocks ? blocks : kMaxBlocks;
  auto *partial = static_cast<double *>(context.scratch);
  launch(context.stream, blocks, kBlockThreads, blockSquares, args.source.as<float>(), elements, partial);
  launch(context.stream, 1, kBlockThreads, addPartials, partial, blocks, args.target.as<double>());
  return {};
}

} // namespace zp::rt::cuda

#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"
#include "runtime/kernels/cuda/products.h"
#include "runtime/schema/step_scalars.h"
#include "runtime/schema/workspaces.h"

namespace zp::rt::cuda {
namespace {

struct Minimum {
  ZP_DEVICE int64_t operator()(int64_t a, int64_t b) const { return a < b ? a : b; }
};

/// Of a token: its loss, and 1 when the first of its largest logits is the label's.
struct Outcome {
  float loss, hit;
};

/// A block a token of the chunk: logits become their gradients, times the loss scale where there is one, zero where the token isn't counted.
template <typename T>
__global__ void crossEntropy(T *logits, const int32_t *labels, Outcome *outcomes, const StepScalars *scalars, int64_t first, int64_t length,
                             int64_t vocabulary, int64_t stride) {
  const float lossScale = scalars ? scalars->lossScale : 1;
  T *row = logits + blockIdx.x * stride;
  const int64_t token = first + blockIdx.x;
  const int64_t label = (token + 1) % length != 0 ? labels[token + 1] : -1;
  const bool counted = label >= 0 && label < vocabulary;
  float values[kPack], largest = -INFINITY, sum = 0;
  packsOfRow(vocabulary, [&](int64_t i, int count) {
    load(row + i, count, values);
    for (int e = 0; e < count; ++e)
      largest = largest > values[e] ? largest : values[e];
  });
  largest = reduceBlock(largest, Maximum());
  int64_t firstLargest = vocabulary;
  packsOfRow(vocabulary, [&](int64_t i, int count) {
    load(row + i, count, values);
    for (int e = 0; e < count; ++e) {
      sum += expf(values[e] - largest);
      if (values[e] == largest && i + e < firstLargest)
        firstLargest = i + e;
    }
  });
  sum = reduceBlock(sum, Sum());
  firstLargest = reduceBlock(firstLargest, Minimum());
  if (threadIdx.x == 0)
    outcomes[blockIdx.x] = counted ? Outcome{largest + logf(sum) - toFloat(row[label]), firstLargest == label ? 1.0f : 0.0f} : Outcome{0, 0};
  __syncthreads(); // the label's logit has been read
  packsOfRow(vocabulary, [&](int64_t i, int count) {
    load(row + i, count, values);
    for (int e = 0; e < count; ++e)
      values[e] = counted ? lossScale * (expf(values[e] - largest) / sum - (i + e == label ? 1.0f : 0.0f)) : 0.0f;
    store(row + i, count, values);
  });
}

/// A block each `span` of tokens that the chunk, [first, first + count), has a part of; the span's sums are a pair, or its loss alone.
__global__ void addOutcomes(const Outcome *outcomes, int64_t first, int64_t count, int64_t span, double *sums, bool hits) {
  const int64_t place = first / span + blockIdx.x;
  const int64_t begin = place * span > first ? place * span - first : 0;
  const int64_t end = (place + 1) * span - first < count ? (place + 1) * span - first : count;
  double loss = 0, hit = 0;
  for (int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) {
    loss += outcomes[i].loss;
    hit += outcomes[i].hit;
  }
  loss = reduceBlock(loss, Sum());
  hit = reduceBlock(hit, Sum());
  if (threadIdx.x != 0)
    return;
  sums[2 * place] += loss;
  if (hits)
    sums[2 * place + 1] += hit;
}

} // namespace

Status run(const Context &context, const LinearCrossEntropyArgs &args) {
  const int64_t tokens = args.hidden.dims[0], width = args.hidden.dims[1], vocabulary = args.weight.dims[0];
  const DType f = args.hidden.dtype;
  const LinearCrossEntropyLayout layout = linearCrossEntropyLayout(static_cast<uint64_t>(args.chunk), static_cast<uint64_t>(tokens),
                                                                   static_cast<uint64_t>(vocabulary), static_cast<uint64_t>(width), f);
  const auto stride = static_cast<int64_t>(layout.logitStride);
  auto *workspace = args.workspace.as<uint8_t>();
  void *logits = workspace + layout.logits;
  const int64_t span = args.lossSum.elements() > 2 ? args.length : tokens;
  auto *outcomes = reinterpret_cast<Outcome *>(workspace + layout.losses);
  for (int64_t first = 0; first < tokens; first += args.chunk) {
    const int64_t rows = tokens - first < args.chunk ? tokens - first : args.chunk;
    const uint64_t offset = bytesOf(f, static_cast<uint64_t>(first * width));
    Product product;
    product.dtype = product.targetDtype = f;
    product.m = rows;
    product.n = vocabulary;
    product.k = width;
    product.a = args.hidden.as<uint8_t>() + offset;
    product.b = args.weight.data;
    product.target = logits;
    product.strideA = product.strideB = width;
    product.strideTarget = stride;
    product.transposeB = true;
    ZP_RETURN_IF_ERROR(context.products->multiply(product, context.stream));
    withElement(f, [&](auto element) {
      using T = decltype(element);
      launch(context.stream, rows, kBlockThreads, crossEntropy<T>, static_cast<T *>(logits), args.labels.as<int32_t>(), outcomes,
             args.scalars.as<StepScalars>(), first, args.length, vocabulary, stride);
    });
    launch(context.stream, (first + rows - 1) / span - first / span + 1, kBlockThreads, addOutcomes, outcomes, first, rows, span,
           args.lossSum.as<double>(), args.lossSum.elements() > 1);
    if (args.gradWeight) {
      Product gradient;
      gradient.dtype = f;
      gradient.targetDtype = DType::F32;
      gradient.m = vocabulary;
      gradient.n = width;
      gradient.k = rows;
      gradient.a = logits;
      gradient.b = product.a;
      gradient.target = args.gradWeight.data;
      gradient.strideA = stride;
      gradient.strideB = gradient.strideTarget = width;
      gradient.transposeA = gradient.accumulate = true;
      ZP_RETURN_IF_ERROR(context.products->multiply(gradient, context.stream));
    }
    if (args.gradHidden) {
      Product gradient = product;
      gradient.n = width;
      gradient.k = vocabulary;
      gradient.a = logits;
      gradient.target = args.gradHidden.as<uint8_t>() + offset;
      gradient.strideA = stride;
      gradient.strideTarget = width;
      gradient.transposeB = false;
      ZP_RETURN_IF_ERROR(context.products->multiply(gradient, context.stream));
    }
  }
  return {};
}

} // namespace zp::rt::cuda

#include <algorithm>
#include <atomic>
#include <cmath>

#include "runtime/kernels/gemm/gemm.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"
#include "runtime/schema/step_scalars.h"
#include "runtime/schema/workspaces.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/linear_cross_entropy/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {
namespace {

/// The loss of one row of logits, and whether the label's is the first of the largest; with `gradient`, the row becomes
/// round(lossScale·(softmax - onehot)).
template <typename T> HWY_NOINLINE double lossOfRow(T *logits, int64_t vocabulary, int64_t label, bool gradient, float lossScale, bool &hit) {
  const F32 d;
  VF32 top = hn::Set(d, toFloat(logits[0]));
  const int64_t whole = vocabulary / kLanes * kLanes;
  for (int64_t v = 0; v < whole; v += kLanes)
    top = hn::Max(top, load(d, logits + v));
  float largest = hn::GetLane(hn::MaxOfLanes(d, top));
  for (int64_t v = whole; v < vocabulary; ++v)
    largest = std::max(largest, toFloat(logits[v]));
  hit = toFloat(logits[label]) == largest;
  for (int64_t v = 0; hit && v < label; ++v)
    hit = toFloat(logits[v]) != largest;
  const VF32 shift = hn::Set(d, largest);
  double sum = 0;
  constexpr int64_t kPart = 1024; // f32 sums of a part, f64 over the parts
  for (int64_t first = 0; first < vocabulary; first += kPart) {
    const int64_t end = HWY_MIN(first + kPart, vocabulary);
    VF32 partial = hn::Zero(d);
    int64_t v = first;
    for (; v + kLanes <= end; v += kLanes)
      partial = hn::Add(partial, expNegative(d, hn::Sub(load(d, logits + v), shift)));
    sum += sumLanes(d, partial);
    for (; v < end; ++v)
      sum += std::exp(toFloat(logits[v]) - largest);
  }
  const double loss = static_cast<double>(largest) + std::log(sum) - static_cast<double>(toFloat(logits[label]));
  if (gradient) {
    const float expected = toFloat(logits[label]);
    const VF32 inverse = hn::Set(d, static_cast<float>(static_cast<double>(lossScale) / sum));
    forVectors(0, vocabulary, [&](int64_t v, auto vector) HWY_ATTR {
      vector(d, hn::Mul(expNegative(d, hn::Sub(vector(d, logits + v), shift)), inverse), logits + v);
    });
    const auto own = static_cast<float>(static_cast<double>(lossScale) * (std::exp(static_cast<double>(expected - largest)) / sum - 1));
    storePart(d, hn::Set(d, own), logits + label, 1);
  }
  return loss;
}

template <typename T> void crossEntropy(const KernelContext &context, const LinearCrossEntropyArgs &args) {
  const int64_t tokens = args.hidden.dims[0], width = args.hidden.dims[1], vocabulary = args.weight.dims[0];
  const LinearCrossEntropyLayout layout = linearCrossEntropyLayout(args.chunk, tokens, vocabulary, width, args.hidden.dtype);
  char *workspace = args.workspace.as<char>();
  T *logits = reinterpret_cast<T *>(workspace + layout.logits);
  auto *losses = reinterpret_cast<double *>(workspace + layout.losses);
  auto *indices = reinterpret_cast<int32_t *>(workspace + layout.indices);
  const int32_t *labels = args.labels.as<int32_t>();
  const T *hidden = args.hidden.as<T>();
  T *gradHidden = args.gradHidden.as<T>();
  const bool gradient = args.gradHidden || args.gradWeight;
  const float lossScale = args.scalars ? args.scalars.as<StepScalars>()->lossScale : 1;

  int64_t counted = 0; // labels outside the vocabulary were refused by the host; here they count as none
  for (int64_t t = 0; t + 1 < tokens; ++t)
    if ((t + 1) % args.length != 0 && labels[t + 1] >= 0 && labels[t + 1] < vocabulary)
      indices[counted++] = static_cast<int32_t>(t);
  if (gradHidden && counted < tokens)
    parallelFor(context, tokens, 64,
                [&](int64_t begin, int64_t end) { std::memset(gradHidden + begin * width, 0, sizeof(T) * (end - begin) * width); });

  GemmProblem product;
  product.input = product.output = args.hidden.dtype;
  // Sums of a token's row, or of all rows.
  auto *sums = args.lossSum.as<double>();
  const auto given = static_cast<int64_t>(args.lossSum.elements());
  const int64_t span = given > 2 ? args.length : tokens;
  for (int64_t first = 0; first < counted; first += args.chunk) {
    const int64_t rows = HWY_MIN(args.chunk, counted - first);
    const int32_t *index = indices + first;
    // Tokens that follow each other are used where they lie; others are brought together.
    const bool together = index[rows - 1] - index[0] == rows - 1;
    const T *hiddenRows = hidden + index[0] * width;
    T *gradientRows = gradHidden ? gradHidden + index[0] * width : nullptr;
    if (!together) {
      T *gathered = reinterpret_cast<T *>(workspace + layout.hiddenRows);
      for (int64_t r = 0; r < rows; ++r)
        std::memcpy(gathered + r * width, hidden + index[r] * width, sizeof(T) * width);
      hiddenRows = gathered;
      gradientRows = reinterpret_cast<T *>(workspace + layout.gradientRows);
    }
    GemmProblem forward = product;
    forward.m = rows, forward.n = vocabulary, forward.k = width;
    forward.a = hiddenRows, forward.lda = width;
    forward.b = args.weight.data, forward.ldb = width, forward.transposeB = true;
    forward.c = logits, forward.ldc = vocabulary;
    gemm(context, forward);
    parallelFor(context, rows, 1, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        bool hit;
        losses[r] = lossOfRow(logits + r * vocabulary, vocabulary, labels[index[r] + 1], gradient, lossScale, hit);
        if (hit && given > 1) // whole numbers: their sum is the same in any order
          std::atomic_ref(sums[index[r] / span * 2 + 1]).fetch_add(1, std::memory_order_relaxed);
      }
    });
    for (int64_t r = 0; r < rows; ++r)
      sums[index[r] / span * 2] += losses[r];
    if (gradHidden) {
      GemmProblem backward = product;
      backward.m = rows, backward.n = width, backward.k = vocabulary;
      backward.a = logits, backward.lda = vocabulary;
      backward.b = args.weight.data, backward.ldb = width;
      backward.c = gradientRows, backward.ldc = width;
      gemm(context, backward);
      for (int64_t r = 0; !together && r < rows; ++r)
        std::memcpy(gradHidden + index[r] * width, gradientRows + r * width, sizeof(T) * width);
    }
    if (args.gradWeight) {
      GemmProblem backward = product;
      backward.m = vocabulary, backward.n = width, backward.k = rows;
      backward.a = logits, backward.lda = vocabulary, backward.transposeA = true;
      backward.b = hiddenRows, backward.ldb = width;
      backward.c = args.gradWeight.data, backward.ldc = width, backward.output = DType::F32;
      backward.accumulate = true;
      gemm(context, backward);
    }
  }
}

} // namespace

void linearCrossEntropyCpu(const KernelContext &context, const LinearCrossEntropyArgs &args) {
  forComputeType(args.hidden.dtype, [&](auto element) { crossEntropy<decltype(element)>(context, args); });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(linearCrossEntropyCpu);
namespace cpu {
void run(const KernelContext &context, const LinearCrossEntropyArgs &args) { HWY_DYNAMIC_DISPATCH(linearCrossEntropyCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif

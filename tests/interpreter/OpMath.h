// What the nn ops compute, in double, straight from the op descriptions (dialects/NN/IR/*.td): the plainest loops that say
// it, sums in ascending order, no rounding to element types. Knows no MLIR; OpBindings.cpp connects ops to these.
#ifndef ZP_TESTS_INTERPRETER_OPMATH_H
#define ZP_TESTS_INTERPRETER_OPMATH_H

#include "runtime/schema/quant_records.h"
#include "runtime/schema/step_scalars.h"
#include "tests/interpreter/Tensor.h"

#include <optional>

namespace zp::interpreter {

using MaybeTensor = const Tensor *; // null: the optional operand isn't there

// The block of step scalars as a tensor of bytes, and back.
Tensor scalarsToTensor(const StepScalars &scalars);
StepScalars scalarsOf(const Tensor &bytes);

// ElementwiseOps.cpp
Tensor add(const Tensor &a, const Tensor &b);
Tensor scale(const Tensor &x, double factor);
Tensor reshape(const Tensor &x, std::vector<int64_t> shape);
Tensor dropout(const Tensor &x, const StepScalars &scalars, double probability, int64_t site, int64_t length);
Tensor siluMul(const Tensor &gate, const Tensor &up);
void siluMulGradient(const Tensor &gradient, const Tensor &gate, const Tensor &up, Tensor &gateGradient, Tensor &upGradient);
/// What nn.activation's kinds are, and their slopes.
enum class Activation { Relu, Gelu, GeluTanh };
Tensor activation(const Tensor &x, Activation kind);
/// gradient · slope at x, element by element.
Tensor activationGradient(const Tensor &gradient, const Tensor &x, Activation kind);
Tensor product(const Tensor &a, const Tensor &b);
/// Of tensors whose elements are f16 in the program.
Tensor clampHalf(const Tensor &x);
Tensor clampHalfGradient(const Tensor &gradient, const Tensor &clamped);
void splitQkv(const Tensor &x, int64_t heads, int64_t kvHeads, Tensor &query, Tensor &key, Tensor &value);
Tensor joinQkv(MaybeTensor query, MaybeTensor key, MaybeTensor value, int64_t heads, int64_t kvHeads, std::vector<int64_t> shape);
Tensor rowsFrom(const Tensor &x, int64_t first, int64_t count);
/// Philox4x32-10 (Salmon et al. 2011): the output words of one counter.
void philox(uint64_t key, const uint32_t counter[4], uint32_t out[4]);

// LinearOps.cpp
Tensor linear(const Tensor &x, const Tensor &weight, MaybeTensor bias, MaybeTensor addend, double alpha);
Tensor linearInputGradient(const Tensor &gradient, const Tensor &weight, MaybeTensor addend, double alpha);
/// result += alpha·x·weightᵀ, or alpha·gradient·weight: the branch of a product.
void addLinear(const Tensor &x, const Tensor &weight, double alpha, Tensor &result);
void addLinearInputGradient(const Tensor &gradient, const Tensor &weight, double alpha, Tensor &result);
Tensor linearWeightGradient(const Tensor &gradient, const Tensor &x, double alpha);
Tensor columnSum(const Tensor &source);
Tensor embedding(const Tensor &ids, const Tensor &table, int64_t offset);
Tensor embeddingGradient(const Tensor &ids, const Tensor &gradient, int64_t offset, int64_t padding, int64_t vocabulary);

// QuantOps.cpp
/// The numbers that a tensor's 4-bit elements stand for, after quantising.
Tensor quantize(const Tensor &value, const QuantRecords &format);

// NormOps.cpp
void rmsNorm(const Tensor &x, const Tensor &weight, double epsilon, Tensor &result, Tensor &rstd);
Tensor rmsNormGradient(const Tensor &gradient, const Tensor &x, const Tensor &weight, const Tensor &rstd, MaybeTensor residual,
                       Tensor *weightGradient);

void layerNorm(const Tensor &x, const Tensor &weight, const Tensor &bias, double epsilon, Tensor &result, Tensor &mean, Tensor &rstd);
Tensor layerNormGradient(const Tensor &gradient, const Tensor &x, const Tensor &weight, const Tensor &mean, const Tensor &rstd, MaybeTensor residual,
                         Tensor *weightGradient, Tensor *biasGradient);

// AttentionOps.cpp
void ropeTable(const Tensor &positions, const std::vector<double> &inverseFrequencies, double scaling, Tensor &cosine, Tensor &sine);
Tensor rope(const Tensor &x, const Tensor &cosine, const Tensor &sine, int64_t headDim, bool inverse);
/// Of probabilities; without it all are kept.
struct AttentionDropout {
  double probability = 0;
  int64_t site = 0;
  StepScalars scalars = {};
};
struct AttentionShape {
  int64_t heads, kvHeads, length, keyLength;
  double scale;
  bool causal = true;
  int64_t window = 0;
  MaybeTensor bias = nullptr;
  bool biasByDistance = false;
  AttentionDropout dropout = {};
};
void attention(const Tensor &query, const Tensor &key, const Tensor &value, const Tensor &segments, const Tensor &keySegments,
               const AttentionShape &shape, Tensor &result, Tensor &logSumExp);
void appendCache(const Tensor &value, const Tensor &positions, int64_t length, Tensor &cache);
void reorderCache(const Tensor &rows, Tensor &cache);
Tensor cachedAttention(const Tensor &query, const Tensor &key, const Tensor &value, const Tensor &positions, const AttentionShape &shape);
void attentionGradient(const Tensor &gradient, const Tensor &query, const Tensor &key, const Tensor &value, const Tensor &out,
                       const Tensor &logSumExp, const Tensor &segments, const Tensor &keySegments, const AttentionShape &shape, Tensor &queryGradient,
                       Tensor &keyGradient, Tensor &valueGradient, Tensor *biasGradient);
struct RelativeBiasShape {
  int64_t length, keyLength, maxDistance;
  bool bidirectional;
};
Tensor relativeBias(const Tensor &table, const RelativeBiasShape &shape);
Tensor relativeBiasGradient(const Tensor &gradient, int64_t buckets, const RelativeBiasShape &shape);
/// Of `tokens` tokens, those of `positions` when they are given.
Tensor alibiTable(MaybeTensor positions, int64_t tokens, const std::vector<double> &slopes, double scale, bool roundBf16);

// LossOps.cpp
constexpr int64_t kNotCounted = -100;
/// How many targets of `labels` count, in rows of `length`.
int64_t countTargets(const Tensor &labels, int64_t length);
struct LossSums {
  double loss = 0;
  int64_t hits = 0;                             // targets whose logit is the first of the largest
  std::vector<std::pair<double, int64_t>> rows; // of each row
};
/// Fills the gradients that aren't null: those of the loss times lossScale.
LossSums linearCrossEntropy(const Tensor &hidden, const Tensor &weight, const Tensor &labels, int64_t length, Tensor *hiddenGradient,
                            Tensor *weightGradient, double lossScale = 1);

// OptimizerOps.cpp
double sumSquares(const Tensor &x);
/// `lossSums` has the loss, and perhaps the hits.
void finishStep(double squareSum, const Tensor &lossSums, const StepScalars &scalars, double maxNorm, Tensor &coefficient, Tensor &metrics);
struct AdamwSettings {
  double beta1, beta2, epsilon, weightDecay;
};
/// One element of a step whose coefficient isn't 0; `decayed` says whether weight decay applies to it.
void adamw(double gradient, const StepScalars &scalars, const AdamwSettings &settings, bool decayed, double &value, double &moment1, double &moment2);

} // namespace zp::interpreter

#endif // ZP_TESTS_INTERPRETER_OPMATH_H

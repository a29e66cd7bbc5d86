#include "tests/interpreter/OpMath.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace zp::interpreter {

void ropeTable(const Tensor &positions, const std::vector<double> &inverseFrequencies, double scaling, Tensor &cosine, Tensor &sine) {
  int64_t half = static_cast<int64_t>(inverseFrequencies.size());
  cosine = sine = Tensor({positions.size(), half});
  for (int64_t t = 0; t < positions.size(); ++t)
    for (int64_t i = 0; i < half; ++i) {
      double angle = positions[t] * inverseFrequencies[static_cast<size_t>(i)];
      cosine.at(t, i) = std::cos(angle) * scaling;
      sine.at(t, i) = std::sin(angle) * scaling;
    }
}

Tensor rope(const Tensor &x, const Tensor &cosine, const Tensor &sine, int64_t headDim, bool inverse) {
  Tensor result = x;
  int64_t half = headDim / 2;
  for (int64_t t = 0; t < x.rows(); ++t)
    for (int64_t head = 0; head < x.columns(); head += headDim)
      for (int64_t i = 0; i < half; ++i) {
        double x1 = x.at(t, head + i), x2 = x.at(t, head + half + i);
        double c = cosine.at(t, i), s = inverse ? -sine.at(t, i) : sine.at(t, i);
        result.at(t, head + i) = x1 * c - x2 * s;
        result.at(t, head + half + i) = x2 * c + x1 * s;
      }
  return result;
}

// Token i sees j.
static bool sees(const Tensor &segments, const AttentionShape &shape, int64_t i, int64_t j) {
  return j <= i && i / shape.length == j / shape.length && segments[i] == segments[j] && (shape.window == 0 || j > i - shape.window);
}

static double score(const Tensor &query, const Tensor &key, const AttentionShape &shape, int64_t h, int64_t i, int64_t j) {
  int64_t width = query.columns() / shape.heads, kv = h / (shape.heads / shape.kvHeads);
  double sum = 0;
  for (int64_t d = 0; d < width; ++d)
    sum += query.at(i, h * width + d) * key.at(j, kv * width + d);
  return shape.scale * sum;
}

void attention(const Tensor &query, const Tensor &key, const Tensor &value, const Tensor &segments, const AttentionShape &shape,
               Tensor &result, Tensor &logSumExp) {
  int64_t tokens = query.rows(), width = query.columns() / shape.heads;
  result = Tensor({tokens, query.columns()});
  logSumExp = Tensor({shape.heads, tokens});
  for (int64_t h = 0; h < shape.heads; ++h)
    for (int64_t i = 0; i < tokens; ++i) {
      int64_t kv = h / (shape.heads / shape.kvHeads), start = i / shape.length * shape.length;
      double largest = -std::numeric_limits<double>::infinity(), sum = 0;
      for (int64_t j = start; j <= i; ++j)
        if (sees(segments, shape, i, j))
          largest = std::max(largest, score(query, key, shape, h, i, j));
      for (int64_t j = start; j <= i; ++j)
        if (sees(segments, shape, i, j))
          sum += std::exp(score(query, key, shape, h, i, j) - largest);
      logSumExp.at(h, i) = largest + std::log(sum);
      for (int64_t j = start; j <= i; ++j) {
        if (!sees(segments, shape, i, j))
          continue;
        double p = std::exp(score(query, key, shape, h, i, j) - logSumExp.at(h, i));
        for (int64_t d = 0; d < width; ++d)
          result.at(i, h * width + d) += p * value.at(j, kv * width + d);
      }
    }
}

void appendCache(const Tensor &value, const Tensor &positions, int64_t length, Tensor &cache) {
  int64_t places = cache.rows() / (value.rows() / length);
  for (int64_t t = 0; t < value.rows(); ++t) {
    auto place = static_cast<int64_t>(positions[t]);
    for (int64_t d = 0; place >= 0 && place < places && d < value.columns(); ++d)
      cache.at(t / length * places + place, d) = value.at(t, d);
  }
}

Tensor cachedAttention(const Tensor &query, const Tensor &key, const Tensor &value, const Tensor &positions, const AttentionShape &shape) {
  int64_t width = query.columns() / shape.heads, places = key.rows() / (query.rows() / shape.length);
  Tensor result({query.rows(), query.columns()});
  for (int64_t h = 0; h < shape.heads; ++h)
    for (int64_t t = 0; t < query.rows(); ++t) {
      int64_t kv = h / (shape.heads / shape.kvHeads), row = t / shape.length * places;
      auto last = std::min(static_cast<int64_t>(positions[t]), places - 1);
      auto first = shape.window == 0 ? 0 : std::max<int64_t>(0, static_cast<int64_t>(positions[t]) - shape.window + 1);
      double largest = -std::numeric_limits<double>::infinity(), sum = 0;
      for (int64_t j = first; j <= last; ++j)
        largest = std::max(largest, score(query, key, shape, h, t, row + j));
      for (int64_t j = first; j <= last; ++j)
        sum += std::exp(score(query, key, shape, h, t, row + j) - largest);
      for (int64_t j = first; j <= last; ++j) {
        double p = std::exp(score(query, key, shape, h, t, row + j) - largest) / sum;
        for (int64_t d = 0; d < width; ++d)
          result.at(t, h * width + d) += p * value.at(row + j, kv * width + d);
      }
    }
  return result;
}

void attentionGradient(const Tensor &gradient, const Tensor &query, const Tensor &key, const Tensor &value, const Tensor &out,
                       const Tensor &logSumExp, const Tensor &segments, const AttentionShape &shape, Tensor &queryGradient,
                       Tensor &keyGradient, Tensor &valueGradient) {
  int64_t tokens = query.rows(), width = query.columns() / shape.heads;
  queryGradient = Tensor(query.shape);
  keyGradient = valueGradient = Tensor(key.shape);
  for (int64_t h = 0; h < shape.heads; ++h)
    for (int64_t i = 0; i < tokens; ++i) {
      int64_t kv = h / (shape.heads / shape.kvHeads);
      double dot = 0; // of gradient and out: the softmax's own correction
      for (int64_t d = 0; d < width; ++d)
        dot += gradient.at(i, h * width + d) * out.at(i, h * width + d);
      for (int64_t j = i / shape.length * shape.length; j <= i; ++j) {
        if (!sees(segments, shape, i, j))
          continue;
        double p = std::exp(score(query, key, shape, h, i, j) - logSumExp.at(h, i)), dp = 0;
        for (int64_t d = 0; d < width; ++d) {
          dp += gradient.at(i, h * width + d) * value.at(j, kv * width + d);
          valueGradient.at(j, kv * width + d) += p * gradient.at(i, h * width + d);
        }
        double ds = p * (dp - dot) * shape.scale;
        for (int64_t d = 0; d < width; ++d) {
          queryGradient.at(i, h * width + d) += ds * key.at(j, kv * width + d);
          keyGradient.at(j, kv * width + d) += ds * query.at(i, h * width + d);
        }
      }
    }
}

} // namespace zp::interpreter

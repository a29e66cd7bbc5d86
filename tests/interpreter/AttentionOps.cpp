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

// Of one head and row: the query at place i sees the key at place j.
static bool sees(const Tensor &segments, const Tensor &keySegments, const AttentionShape &shape, int64_t row, int64_t i, int64_t j) {
  if (segments[row * shape.length + i] != keySegments[row * shape.keyLength + j])
    return false;
  return !shape.causal || (j <= i && (shape.window == 0 || j > i - shape.window));
}

// scale·q·k of two rows of the matrices.
static double product(const Tensor &query, const Tensor &key, const AttentionShape &shape, int64_t h, int64_t token, int64_t keyToken) {
  int64_t width = query.columns() / shape.heads, kv = h / (shape.heads / shape.kvHeads);
  double sum = 0;
  for (int64_t d = 0; d < width; ++d)
    sum += query.at(token, h * width + d) * key.at(keyToken, kv * width + d);
  return shape.scale * sum;
}

static double score(const Tensor &query, const Tensor &key, const AttentionShape &shape, int64_t h, int64_t row, int64_t i, int64_t j) {
  int64_t keyToken = row * shape.keyLength + j;
  double bias = !shape.bias ? 0 : shape.bias->at(h, shape.biasByDistance ? j - i + shape.length - 1 : keyToken);
  return product(query, key, shape, h, row * shape.length + i, keyToken) + bias;
}

// The formula of plan.attention: what is dropped becomes 0, what is kept grows.
static double keptFactor(const AttentionDropout &dropout, int64_t h, int64_t row, int64_t i, int64_t j) {
  if (dropout.probability == 0)
    return 1;
  const uint32_t counter[4] = {static_cast<uint32_t>(i * 32768 + j / 4), dropout.scalars.rowBase + static_cast<uint32_t>(row),
                               static_cast<uint32_t>(dropout.site + h), dropout.scalars.optimizerStep};
  uint32_t words[4];
  philox(dropout.scalars.seed, counter, words);
  return words[j % 4] * 0x1p-32 >= dropout.probability ? 1 / (1 - dropout.probability) : 0;
}

void attention(const Tensor &query, const Tensor &key, const Tensor &value, const Tensor &segments, const Tensor &keySegments,
               const AttentionShape &shape, Tensor &result, Tensor &logSumExp) {
  int64_t tokens = query.rows(), width = query.columns() / shape.heads;
  result = Tensor({tokens, query.columns()});
  logSumExp = Tensor({shape.heads, tokens});
  for (int64_t h = 0; h < shape.heads; ++h)
    for (int64_t token = 0; token < tokens; ++token) {
      int64_t kv = h / (shape.heads / shape.kvHeads), row = token / shape.length, i = token % shape.length;
      double largest = -std::numeric_limits<double>::infinity(), sum = 0;
      for (int64_t j = 0; j < shape.keyLength; ++j)
        if (sees(segments, keySegments, shape, row, i, j))
          largest = std::max(largest, score(query, key, shape, h, row, i, j));
      for (int64_t j = 0; j < shape.keyLength; ++j)
        if (sees(segments, keySegments, shape, row, i, j))
          sum += std::exp(score(query, key, shape, h, row, i, j) - largest);
      logSumExp.at(h, token) = largest + std::log(sum);
      for (int64_t j = 0; j < shape.keyLength; ++j) {
        if (!sees(segments, keySegments, shape, row, i, j))
          continue;
        double p = std::exp(score(query, key, shape, h, row, i, j) - logSumExp.at(h, token));
        for (int64_t d = 0; d < width; ++d)
          result.at(token, h * width + d) += keptFactor(shape.dropout, h, row, i, j) * p * value.at(row * shape.keyLength + j, kv * width + d);
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
      auto score = [&](int64_t j) {
        double bias = !shape.bias ? 0 : shape.bias->at(h, shape.biasByDistance ? j - last + places - 1 : j);
        return product(query, key, shape, h, t, row + j) + bias;
      };
      double largest = -std::numeric_limits<double>::infinity(), sum = 0;
      for (int64_t j = first; j <= last; ++j)
        largest = std::max(largest, score(j));
      for (int64_t j = first; j <= last; ++j)
        sum += std::exp(score(j) - largest);
      for (int64_t j = first; j <= last; ++j) {
        double p = std::exp(score(j) - largest) / sum;
        for (int64_t d = 0; d < width; ++d)
          result.at(t, h * width + d) += p * value.at(row + j, kv * width + d);
      }
    }
  return result;
}

void reorderCache(const Tensor &rows, Tensor &cache) {
  const Tensor before = cache;
  int64_t elements = cache.size() / rows.size();
  for (int64_t r = 0; r < rows.size(); ++r)
    for (int64_t i = 0; rows[r] >= 0 && rows[r] < static_cast<double>(rows.size()) && i < elements; ++i)
      cache[r * elements + i] = before[static_cast<int64_t>(rows[r]) * elements + i];
}

void attentionGradient(const Tensor &gradient, const Tensor &query, const Tensor &key, const Tensor &value, const Tensor &out,
                       const Tensor &logSumExp, const Tensor &segments, const Tensor &keySegments, const AttentionShape &shape, Tensor &queryGradient,
                       Tensor &keyGradient, Tensor &valueGradient, Tensor *biasGradient) {
  int64_t tokens = query.rows(), width = query.columns() / shape.heads;
  queryGradient = Tensor(query.shape);
  keyGradient = valueGradient = Tensor(key.shape);
  if (biasGradient)
    *biasGradient = Tensor(shape.bias->shape);
  for (int64_t h = 0; h < shape.heads; ++h)
    for (int64_t token = 0; token < tokens; ++token) {
      int64_t kv = h / (shape.heads / shape.kvHeads), row = token / shape.length, i = token % shape.length;
      double dot = 0; // of gradient and out: the softmax's own correction
      for (int64_t d = 0; d < width; ++d)
        dot += gradient.at(token, h * width + d) * out.at(token, h * width + d);
      for (int64_t j = 0; j < shape.keyLength; ++j) {
        if (!sees(segments, keySegments, shape, row, i, j))
          continue;
        int64_t keyToken = row * shape.keyLength + j;
        double p = std::exp(score(query, key, shape, h, row, i, j) - logSumExp.at(h, token)), dp = 0;
        double kept = keptFactor(shape.dropout, h, row, i, j);
        for (int64_t d = 0; d < width; ++d) {
          dp += kept * gradient.at(token, h * width + d) * value.at(keyToken, kv * width + d);
          valueGradient.at(keyToken, kv * width + d) += kept * p * gradient.at(token, h * width + d);
        }
        double ds = p * (dp - dot);
        if (biasGradient)
          biasGradient->at(h, j - i + shape.length - 1) += ds;
        for (int64_t d = 0; d < width; ++d) {
          queryGradient.at(token, h * width + d) += shape.scale * ds * key.at(keyToken, kv * width + d);
          keyGradient.at(keyToken, kv * width + d) += shape.scale * ds * query.at(token, h * width + d);
        }
      }
    }
}

// The bucket of a key `relative` places after the query, in f32 where the op says so.
static int64_t bucketOf(int64_t relative, int64_t buckets, const RelativeBiasShape &shape) {
  int64_t each = shape.bidirectional ? buckets / 2 : buckets, exact = each / 2, first = shape.bidirectional && relative > 0 ? each : 0;
  int64_t distance = shape.bidirectional ? std::abs(relative) : std::max<int64_t>(0, -relative);
  if (distance < exact)
    return first + distance;
  auto range = static_cast<float>(std::log(static_cast<double>(shape.maxDistance) / static_cast<double>(exact)));
  float further = std::log(static_cast<float>(distance) / static_cast<float>(exact)) / range * static_cast<float>(each - exact);
  return first + std::min(exact + static_cast<int64_t>(further), each - 1);
}

Tensor relativeBias(const Tensor &table, const RelativeBiasShape &shape) {
  Tensor result({table.columns(), shape.length + shape.keyLength - 1});
  for (int64_t h = 0; h < result.rows(); ++h)
    for (int64_t e = 0; e < result.columns(); ++e)
      result.at(h, e) = table.at(bucketOf(e - (shape.length - 1), table.rows(), shape), h);
  return result;
}

Tensor relativeBiasGradient(const Tensor &gradient, int64_t buckets, const RelativeBiasShape &shape) {
  Tensor result({buckets, gradient.rows()});
  for (int64_t h = 0; h < gradient.rows(); ++h)
    for (int64_t e = 0; e < gradient.columns(); ++e)
      result.at(bucketOf(e - (shape.length - 1), buckets, shape), h) += gradient.at(h, e);
  return result;
}

Tensor alibiTable(MaybeTensor positions, int64_t tokens, const std::vector<double> &slopes, double scale, bool roundBf16) {
  auto rounded = [&](double x) { // to 8 bits of mantissa, ties to even
    int exponent;
    double mantissa = std::frexp(x, &exponent);
    return roundBf16 ? std::ldexp(std::nearbyint(std::ldexp(mantissa, 8)), exponent - 8) : static_cast<float>(x);
  };
  Tensor result({static_cast<int64_t>(slopes.size()), tokens});
  for (int64_t h = 0; h < result.rows(); ++h)
    for (int64_t t = 0; t < tokens; ++t)
      result.at(h, t) = scale * rounded(rounded(slopes[static_cast<size_t>(h)]) * rounded(positions ? (*positions)[t] : static_cast<double>(t)));
  return result;
}

} // namespace zp::interpreter

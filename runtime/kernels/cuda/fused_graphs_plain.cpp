// Cases of fused attention by plain loops, for the emulated device: what a case and its operands say is read here a second time,
// by other code than cuDNN's, and the workspace is as large as cuDNN's.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "runtime/base/numeric.h"
#include "runtime/device/cuda/emulated/streams.h"
#include "runtime/kernels/cuda/fused_graphs.h"
#include "runtime/schema/workspaces.h"

namespace zp::rt::cuda {
namespace {

/// Elements of a case that lie anywhere, by their place in the case.
class Reader {
public:
  Reader(const FusedCase &shape, const FusedOperands &operands) : shape(shape), operands(operands) {}

  int64_t kvHead(int64_t head) const { return head / (shape.heads / shape.kvHeads); }
  int64_t query(int64_t row, int64_t head, int64_t i) const { return (row * shape.length + i) * shape.queryPitch + head * shape.headDim; }
  int64_t key(int64_t row, int64_t head, int64_t j) const { return (row * shape.length + j) * shape.keyPitch + kvHead(head) * shape.headDim; }
  float &statistic(int64_t row, int64_t head, int64_t i) const {
    return static_cast<float *>(operands.logSumExp)[row * shape.statisticsRowPitch + head * shape.statisticsHeadPitch + i];
  }
  bool sees(int64_t row, int64_t i, int64_t j) const {
    const auto *segments = static_cast<const int32_t *>(operands.segments) + row * shape.length;
    return segments[i] == segments[j] && (!shape.causal || j <= i) && (shape.window == 0 || j > i - shape.window);
  }
  double score(int64_t row, int64_t head, int64_t i, int64_t j) const {
    const auto *biases = static_cast<const float *>(operands.bias);
    const double bias = shape.biased ? biases[head * shape.biasPitch + row * shape.length + j] : 0;
    return shape.scale * dot(operands.query, query(row, head, i), operands.key, key(row, head, j)) + bias;
  }
  double dot(const void *a, int64_t atA, const void *b, int64_t atB) const {
    double sum = 0;
    for (int64_t c = 0; c < shape.headDim; ++c)
      sum += load(a, atA + c) * load(b, atB + c);
    return sum;
  }
  double load(const void *data, int64_t at) const { return loadElement(view(data), at); }
  void store(void *data, int64_t at, double value) const { storeElement(view(data), at, value); }

private:
  TensorView view(const void *data) const {
    TensorView view;
    view.data = const_cast<void *>(data);
    view.dtype = shape.dtype;
    return view;
  }
  const FusedCase &shape;
  const FusedOperands &operands;
};

void forward(const FusedCase &shape, const FusedOperands &operands) {
  const Reader reader(shape, operands);
  for (int64_t row = 0; row < shape.rows; ++row)
    for (int64_t head = 0; head < shape.heads; ++head)
      for (int64_t i = 0; i < shape.length; ++i) {
        double sum = 0, largest = -INFINITY;
        std::vector<double> weights(static_cast<size_t>(shape.length), -INFINITY), out(static_cast<size_t>(shape.headDim));
        for (int64_t j = 0; j < shape.length; ++j)
          if (reader.sees(row, i, j))
            largest = std::max(largest, weights[static_cast<size_t>(j)] = reader.score(row, head, i, j));
        for (double &weight : weights)
          sum += weight = std::exp(weight - largest);
        for (int64_t j = 0; j < shape.length; ++j)
          for (int64_t c = 0; c < shape.headDim; ++c)
            out[static_cast<size_t>(c)] += weights[static_cast<size_t>(j)] / sum * reader.load(operands.value, reader.key(row, head, j) + c);
        for (int64_t c = 0; c < shape.headDim; ++c)
          reader.store(operands.out, reader.query(row, head, i) + c, out[static_cast<size_t>(c)]);
        reader.statistic(row, head, i) = static_cast<float>(largest + std::log(sum));
      }
}

void gradient(const FusedCase &shape, const FusedOperands &operands) {
  const Reader reader(shape, operands);
  const auto width = static_cast<size_t>(shape.headDim);
  for (int64_t row = 0; row < shape.rows; ++row)
    for (int64_t kvHead = 0; kvHead < shape.kvHeads; ++kvHead) {
      const int64_t group = shape.heads / shape.kvHeads;
      std::vector<double> gradKeys(static_cast<size_t>(shape.length) * width), gradValues = gradKeys;
      for (int64_t head = kvHead * group; head < (kvHead + 1) * group; ++head)
        for (int64_t i = 0; i < shape.length; ++i) {
          const int64_t q = reader.query(row, head, i);
          const double delta = reader.dot(operands.gradOut, q, operands.out, q);
          std::vector<double> gradQuery(width);
          for (int64_t j = 0; j < shape.length; ++j) {
            if (!reader.sees(row, i, j))
              continue;
            const int64_t k = reader.key(row, head, j);
            const double p = std::exp(reader.score(row, head, i, j) - reader.statistic(row, head, i));
            const double gradScore = p * (reader.dot(operands.gradOut, q, operands.value, k) - delta);
            for (int64_t c = 0; c < shape.headDim; ++c) {
              gradQuery[static_cast<size_t>(c)] += shape.scale * gradScore * reader.load(operands.key, k + c);
              const auto to = static_cast<size_t>(j * shape.headDim + c);
              gradKeys[to] += shape.scale * gradScore * reader.load(operands.query, q + c);
              gradValues[to] += p * reader.load(operands.gradOut, q + c);
            }
          }
          for (int64_t c = 0; c < shape.headDim; ++c)
            reader.store(operands.gradQuery, q + c, gradQuery[static_cast<size_t>(c)]);
        }
      for (int64_t j = 0; j < shape.length; ++j)
        for (int64_t c = 0; c < shape.headDim; ++c) {
          const int64_t to = reader.key(row, kvHead * group, j) + c;
          reader.store(operands.gradKey, to, gradKeys[static_cast<size_t>(j * shape.headDim + c)]);
          reader.store(operands.gradValue, to, gradValues[static_cast<size_t>(j * shape.headDim + c)]);
        }
    }
}

class PlainGraph final : public FusedGraph {
public:
  explicit PlainGraph(const FusedCase &shape) : shape(shape) {}
  uint64_t workspaceBytes() const override {
    auto size = [](int64_t value) { return static_cast<uint64_t>(value); };
    return shape.gradient
               ? fusedGradientWorkspaceBytes(size(shape.rows), size(shape.heads), size(shape.kvHeads), size(shape.length), size(shape.headDim))
               : 0;
  }
  Status run(const FusedOperands &operands, void *workspace, Stream stream) override {
    emulated::ask(stream, [shape = shape, operands, workspace, bytes = workspaceBytes()] {
      std::memset(workspace, 0xff, bytes); // all of it is the graph's
      shape.gradient ? gradient(shape, operands) : forward(shape, operands);
    });
    return {};
  }

private:
  FusedCase shape;
};

class PlainGraphs final : public FusedGraphs {
public:
  std::string name() const override { return "emulated fused attention"; }
  StatusOr<std::unique_ptr<FusedGraph>> build(const FusedCase &shape) override {
    return std::unique_ptr<FusedGraph>(std::make_unique<PlainGraph>(shape));
  }
};

} // namespace

StatusOr<std::unique_ptr<FusedGraphs>> createFusedGraphs(const Properties &) { return std::unique_ptr<FusedGraphs>(std::make_unique<PlainGraphs>()); }

} // namespace zp::rt::cuda

#include "tests/interpreter/Batches.h"

#include "tests/interpreter/OpMath.h"

#include <cmath>

using namespace mlir;

namespace zp::interpreter {

namespace {
struct Row {
  std::vector<double> ids, labels, positions, segments;
};
} // namespace

// Some documents, of which the first tokens (a prompt) aren't counted, and now and then padding at the end.
static Row makeRow(Random random, int64_t length, int64_t vocabulary) {
  Row result;
  int64_t segment = 0, position = 0, prompt = random.below(3);
  int64_t padding = length > 4 && random.below(3) == 0 ? random.below(length / 4) + 1 : 0;
  for (int64_t t = 0; t < length; ++t) {
    bool padded = t >= length - padding;
    if (!padded && position >= 3 && random.below(5) == 0) {
      ++segment;
      position = 0;
      prompt = random.below(3);
    }
    if (padded && t == length - padding)
      position = 0;
    int64_t id = random.below(vocabulary);
    result.ids.push_back(static_cast<double>(id));
    // The first token of a document is nobody's target: the token before it belongs to another one.
    result.labels.push_back(padded || position <= prompt ? kNotCounted : static_cast<double>(id));
    result.positions.push_back(static_cast<double>(position++));
    result.segments.push_back(static_cast<double>(padded ? -1 : segment));
  }
  return result;
}

/// Puts a row behind those of a batch.
static void append(Row &batch, const Row &row) {
  for (auto part : {&Row::ids, &Row::labels, &Row::positions, &Row::segments})
    (batch.*part).insert((batch.*part).end(), (row.*part).begin(), (row.*part).end());
}

static void shapeOfBatch(nn::ProgramOp program, nn::ProgramOp training, int64_t &rows, int64_t &length, int64_t &sourceLength) {
  if (program.getRows() == 0 && training)
    program = training;
  rows = static_cast<int64_t>(program.getRows());
  length = static_cast<int64_t>(program.getLength());
  sourceLength = static_cast<int64_t>(program.getSourceLength());
  if (rows > 0 && length > 0)
    return;
  rows = 1; // a program that doesn't say: one row of all its tokens
  for (auto input : program.getBody().getOps<nn::InputOp>())
    if (cast<ShapedType>(input.getType()).getElementType().isInteger(32))
      length = shapeOf(input.getType())[0];
  if (length == 0)
    length = 1;
}

NamedTensors Batches::inputs(nn::ProgramOp program, int64_t update, int64_t index, int64_t firstToken) const {
  int64_t rows = 0, length = 0, sourceLength = 0;
  shapeOfBatch(program, training, rows, length, sourceLength);
  Row batch, source;
  int64_t counted = 0;
  for (int64_t row = 0; row < rows * perUpdate; ++row) {
    std::string place = std::to_string(update) + " " + std::to_string(row);
    Row made = makeRow(Random(seed, "row " + place), length, vocabulary);
    Tensor labels({length});
    labels.data = made.labels;
    counted += countTargets(labels, length);
    if (row / rows != index)
      continue;
    append(batch, made);
    append(source, makeRow(Random(seed, "source " + place), sourceLength, vocabulary)); // documents of its own, some of which nobody sees
  }

  if (auto it = given.find("labels"); it != given.end())
    counted = perUpdate * countTargets(it->second, length);

  StepScalars scalars{};
  scalars.seed = seed;
  scalars.countedLabels = static_cast<double>(counted);
  scalars.learningRate = 0.03f / static_cast<float>(update + 1);
  scalars.biasCorrection1 = static_cast<float>(1 - std::pow(0.9, update + 1));
  scalars.biasCorrection2 = static_cast<float>(1 - std::pow(0.999, update + 1));
  scalars.optimizerStep = static_cast<uint32_t>(update + 1);
  scalars.rowBase = static_cast<uint32_t>(index * rows);
  scalars.firstToken = static_cast<uint32_t>(firstToken);
  scalars.lossScale = 1;

  NamedTensors result;
  for (auto input : program.getBody().getOps<nn::InputOp>()) {
    std::string name = input.getName().str();
    Tensor tensor(shapeOf(input.getType()));
    if (auto it = given.find(name); it != given.end())
      tensor.data = it->second.data;
    else if (name == "scalars")
      tensor = scalarsToTensor(scalars);
    else if (name == "input_ids")
      tensor.data = batch.ids;
    else if (name == "labels")
      tensor.data = batch.labels;
    else if (name == "position_ids")
      tensor.data = batch.positions;
    else if (name == "segment_ids")
      tensor.data = batch.segments;
    else if (name == "source_ids")
      tensor.data = source.ids;
    else if (name == "source_position_ids")
      tensor.data = source.positions;
    else if (name == "source_segment_ids")
      tensor.data = source.segments;
    else {
      Random random(seed, name + " " + std::to_string(update) + " " + std::to_string(index));
      for (double &value : tensor.data)
        value = random.normal();
    }
    // A wrong size is reported by the machine, at the op.
    if (tensor.data.size() != Tensor::count(tensor.shape))
      tensor.shape = {static_cast<int64_t>(tensor.data.size())};
    result[name] = std::move(tensor);
  }
  return result;
}

int64_t vocabularyOf(ModuleOp module) {
  int64_t least = 0;
  auto see = [&](Value table, uint64_t offset = 0) {
    int64_t rows = shapeOf(table.getType())[0] - static_cast<int64_t>(offset);
    least = least == 0 ? rows : std::min(least, rows);
  };
  module.walk([&](Operation *op) {
    if (auto embedding = dyn_cast<nn::EmbeddingOp>(op))
      see(embedding.getTable(), embedding.getOffset());
    if (auto loss = dyn_cast<nn::LinearCrossEntropyOp>(op))
      see(loss.getWeight());
    if (auto loss = dyn_cast<nn::LinearCrossEntropyGradientOp>(op))
      see(loss.getWeight());
  });
  return least == 0 ? 16 : least;
}

} // namespace zp::interpreter

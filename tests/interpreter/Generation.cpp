#include "tests/interpreter/Generation.h"

#include "tests/interpreter/Compare.h"
#include "tests/interpreter/Job.h"
#include "tests/interpreter/OpMath.h"

#include "llvm/Support/Format.h"

using namespace mlir;

namespace zp::interpreter {

namespace {

using Document = std::vector<double>; // token ids

/// Tokens [from(row), from(row) + length) of each row, position -1 beyond its end.
struct Tokens {
  Tensor ids, positions;
  Tokens(const std::vector<Document> &rows, int64_t length, llvm::function_ref<std::pair<int64_t, int64_t>(size_t)> range)
      : ids({static_cast<int64_t>(rows.size()) * length}), positions(ids.shape, -1) {
    for (size_t row = 0; row < rows.size(); ++row) {
      auto [from, end] = range(row);
      for (int64_t i = 0; i < length && from + i < end; ++i) {
        ids[static_cast<int64_t>(row) * length + i] = rows[row][static_cast<size_t>(from + i)];
        positions[static_cast<int64_t>(row) * length + i] = static_cast<double>(from + i);
      }
    }
  }
};

Tensor scalarsFrom(int64_t firstToken) {
  StepScalars scalars{};
  scalars.firstToken = static_cast<uint32_t>(firstToken);
  return scalarsToTensor(scalars);
}

/// Logits of every token of the rows, seen as a whole.
FailureOr<Tensor> wholeLogits(Machine &machine, const std::vector<Document> &rows, int64_t length) {
  nn::ProgramOp evaluate = machine.program(nn::ProgramKind::Evaluate), logits = machine.program(nn::ProgramKind::Logits);
  Tokens tokens(rows, length, [&](size_t row) { return std::pair<int64_t, int64_t>(0, rows[row].size()); });
  Tensor segments(tokens.positions.shape);
  for (int64_t t = 0; t < segments.size(); ++t)
    segments[t] = tokens.positions[t] < 0 ? -1 : 0;
  NamedTensors inputs{
      {"input_ids", tokens.ids}, {"labels", tokens.ids}, {"position_ids", tokens.positions}, {"segment_ids", segments}, {"scalars", scalarsFrom(0)}};
  if (failed(machine.run(evaluate, inputs)))
    return failure();
  Tensor all;
  for (int64_t token = 0; token < segments.size();) {
    std::vector<Machine::Outcome> outcomes;
    inputs["scalars"] = scalarsFrom(token);
    if (failed(machine.run(logits, inputs, &outcomes)))
      return failure();
    const Tensor &chunk = outcomes[0].outputs["logits"];
    all.data.insert(all.data.end(), chunk.data.begin(), chunk.data.end());
    token += chunk.rows();
    all.shape = {token, chunk.columns()};
  }
  return all;
}

class Generator {
public:
  Generator(Machine &machine, uint64_t seed, int64_t vocabulary, int64_t longest)
      : machine(machine), prefill(machine.program(nn::ProgramKind::Prefill)), decode(machine.program(nn::ProgramKind::Decode)) {
    Random random(seed, "documents");
    for (int64_t rank = 0; rank < machine.ranks(); ++rank) {
      auto &documents = rows.emplace_back(decode.getRows());
      for (Document &document : documents)
        for (int64_t n = 2 + random.below(longest - 1); n > 0; --n)
          document.push_back(static_cast<double>(random.below(vocabulary)));
    }
  }

  /// The tokens that decode starts with: the last of the first half.
  static int64_t halfOf(const Document &document) { return static_cast<int64_t>(document.size()) / 2; }

  LogicalResult readFirstHalves(int64_t longest) {
    auto length = static_cast<int64_t>(prefill.getLength());
    for (int64_t from = 0; from < longest; from += length) {
      std::vector<NamedTensors> inputs;
      for (auto &documents : rows) {
        Tokens tokens(documents, length, [&](size_t row) { return std::pair(from, halfOf(documents[row]) - 1); });
        inputs.push_back({{"input_ids", tokens.ids}, {"position_ids", tokens.positions}});
      }
      if (failed(machine.run(prefill, inputs)))
        return failure();
    }
    return success();
  }

  /// Hands each row's logits after `step` tokens of its second half to `take` (rank, row, position, logits, row of them).
  LogicalResult step(int64_t step, llvm::function_ref<void(size_t, size_t, int64_t, const Tensor &)> take) {
    std::vector<NamedTensors> inputs;
    auto place = [&](const Document &document) { return std::max<int64_t>(halfOf(document) - 1, 0) + step; };
    for (auto &documents : rows) {
      Tokens tokens(documents, 1, [&](size_t row) { return std::pair<int64_t, int64_t>(place(documents[row]), documents[row].size()); });
      inputs.push_back({{"input_ids", tokens.ids}, {"position_ids", tokens.positions}});
    }
    std::vector<Machine::Outcome> outcomes;
    if (failed(machine.run(decode, inputs, &outcomes)))
      return failure();
    for (size_t rank = 0; rank < rows.size(); ++rank)
      for (size_t row = 0; row < rows[rank].size(); ++row)
        if (int64_t at = place(rows[rank][row]); at < static_cast<int64_t>(rows[rank][row].size()))
          take(rank, row, at, outcomes[rank].outputs["logits"]);
    return success();
  }

  std::vector<std::vector<Document>> rows; // of each rank

private:
  Machine &machine;
  nn::ProgramOp prefill, decode;
};

} // namespace

LogicalResult checkGeneration(Machine &before, Machine &after, uint64_t seed, int64_t vocabulary, double tolerance, llvm::raw_ostream &out) {
  nn::ProgramOp evaluate = before.program(nn::ProgramKind::Evaluate), decode = after.program(nn::ProgramKind::Decode);
  if (!evaluate || !before.program(nn::ProgramKind::Logits) || !decode || !after.program(nn::ProgramKind::Prefill))
    return before.module().emitError("lacks evaluate or logits, or the second module prefill or decode");
  if (evaluate.getRows() != decode.getRows())
    return decode.emitError("has ") << decode.getRows() << " rows, evaluate of the first module " << evaluate.getRows();
  if (failed(runInit(before)) || failed(runInit(after)))
    return failure();
  auto longest = static_cast<int64_t>(evaluate.getLength());
  Generator generator(after, seed, vocabulary, longest);
  std::vector<Tensor> whole;
  for (auto &documents : generator.rows) {
    FailureOr<Tensor> logits = wholeLogits(before, documents, longest);
    if (failed(logits))
      return failure();
    whole.push_back(std::move(*logits));
  }
  if (failed(generator.readFirstHalves(longest)))
    return failure();
  Tensor expected, given;
  for (int64_t step = 0; step < longest; ++step)
    if (failed(generator.step(step, [&](size_t rank, size_t row, int64_t position, const Tensor &logits) {
          for (int64_t v = 0; v < logits.columns(); ++v) {
            expected.data.push_back(whole[rank].at(static_cast<int64_t>(row) * longest + position, v));
            given.data.push_back(logits.at(static_cast<int64_t>(row), v));
          }
        })))
      return failure();
  double worst = relativeDifference(expected, given);
  bool equal = !expected.data.empty() && worst <= tolerance;
  out << (equal ? "generation agrees: " : "generation differs: ") << expected.data.size() << " logits, " << llvm::format("%.3g", worst) << "\n";
  return success(equal);
}

} // namespace zp::interpreter

#include "runtime/trainer/evaluate.h"

#include <algorithm>
#include <optional>
#include <span>

#include "runtime/io/convert_elements.h"
#include "runtime/io/safetensors_writer.h"
#include "runtime/schema/plan_generated.h"
#include "runtime/trainer/micro_batch.h"
#include "runtime/trainer/plan_entries.h"

namespace zp::rt {

namespace {

/// Collects logits on rank 0: chunks of every rank's tokens, put where the tokens lie in the file.
class LogitsFile {
public:
  LogitsFile(Executor &executor, Communicator &communicator) : executor(executor), communicator(communicator) {}

  Status open(const PlanEntries &entries, const TokenDataset &dataset, const EvaluateOptions &options) {
    ZP_ASSIGN_OR_RETURN(index, entries.longestEntry(fbs::EntryKind::Logits));
    entry = &entries.entry(index);
    uint32_t output = outputOf(*entry, "logits");
    TensorView view = output == kNoTensor ? TensorView{} : executor.view(output);
    if (!view || view.rank != 2 || !isFloat(view.dtype))
      return Status(ErrorCode::PlanInvalid, "plan: the logits entry has no output logits of two dims and floats; compile it again");
    tensor = output;
    chunk = static_cast<uint64_t>(view.dims[0]);
    vocabulary = static_cast<uint64_t>(view.dims[1]);
    length = dataset.maxLength();
    rows = std::min(options.logitsRows, dataset.rows());
    if (communicator.rank() == 0) {
      const SafetensorsWriter::Metadata metadata = {{"format", "pt"}};
      ZP_ASSIGN_OR_RETURN(writer,
                          SafetensorsWriter::create(options.logitsFile, {{"logits", SafetensorsDtype::F32, {rows, length, vocabulary}}}, &metadata));
    }
    mine.resize(chunk * vocabulary);
    all.resize(mine.size() * static_cast<size_t>(communicator.size()));
    return {};
  }

  /// The rows that an evaluate run has just seen: `batch` of each rank, from row `first` of the file on, `stride` tokens each.
  Status take(uint64_t first, uint64_t batch, uint64_t stride, StepScalars scalars) {
    if (first >= rows)
      return {};
    for (uint64_t token = 0; token < batch * stride; token += chunk) {
      scalars.firstToken = static_cast<uint32_t>(token);
      ZP_RETURN_IF_ERROR(fillScalars(executor, *entry, scalars));
      ZP_RETURN_IF_ERROR(executor.run(index));
      TensorView view = executor.view(tensor);
      convertElements(view.as<std::byte>(), view.dtype, mine.data(), DType::F32, mine.size());
      ZP_RETURN_IF_ERROR(communicator.allGather(mine.data(), all.data(), mine.size() * sizeof(float)));
      for (uint64_t i = 0; writer && i < static_cast<uint64_t>(communicator.size()) * chunk; ++i) {
        uint64_t rank = i / chunk, at = token + i % chunk, row = first + rank * batch + at / stride;
        if (at < batch * stride && row < rows && at % stride < length)
          ZP_RETURN_IF_ERROR(
              writer->write("logits", (row * length + at % stride) * vocabulary * sizeof(float), &all[i * vocabulary], vocabulary * sizeof(float)));
      }
    }
    return {};
  }

  Status finish() { return writer ? writer->finish() : Status(); }

private:
  Executor &executor;
  Communicator &communicator;
  const fbs::Entry *entry = nullptr;
  uint32_t index = 0, tensor = 0;
  uint64_t chunk = 0, vocabulary = 0, length = 0, rows = 0;
  std::optional<SafetensorsWriter> writer;
  std::vector<float> mine, all;
};

} // namespace

StatusOr<EvaluateReport> evaluate(const fbs::Plan &plan, const TokenDataset &dataset, Executor &executor, Communicator &communicator,
                                  const EvaluateOptions &options) {
  PlanEntries entries(plan);
  ZP_ASSIGN_OR_RETURN(uint32_t index, entries.longestEntry(fbs::EntryKind::Evaluate));
  const fbs::Entry &entry = entries.entry(index);
  if (entry.length() != dataset.maxLength())
    return Status(ErrorCode::Dataset, "plan: evaluate takes rows of " + std::to_string(entry.length()) + " tokens, but the data have " +
                                          std::to_string(dataset.maxLength()) + "; run zpdata with --max_length " + std::to_string(entry.length()));
  const uint64_t batch = entry.rows(), ranks = static_cast<uint64_t>(communicator.size());
  std::optional<LogitsFile> logits;
  if (!options.logitsFile.empty()) {
    logits.emplace(executor, communicator);
    ZP_RETURN_IF_ERROR(logits->open(entries, dataset, options));
  }
  EvaluateReport report;
  report.rows = dataset.rows();
  report.resident.before = report.resident.peak = residentOwnBytes();
  StepScalars scalars{};
  scalars.seed = options.seed;
  std::vector<int64_t> mine(batch);
  std::vector<double> pairs(2 * batch), sums(2 * dataset.rows()); // loss and hits, a row each
  for (uint64_t first = 0; first < dataset.rows(); first += ranks * batch) {
    uint64_t counted = 0;
    for (uint64_t row = first; row < std::min(first + ranks * batch, dataset.rows()); ++row)
      counted += dataset.row(row).countedLabels;
    for (uint64_t i = 0; i < batch; ++i) {
      uint64_t row = first + static_cast<uint64_t>(communicator.rank()) * batch + i;
      mine[i] = row < dataset.rows() ? static_cast<int64_t>(row) : -1;
    }
    scalars.countedLabels = static_cast<double>(counted);
    ZP_RETURN_IF_ERROR(fillTokens(executor, entry, dataset, mine));
    ZP_RETURN_IF_ERROR(fillScalars(executor, entry, scalars));
    ZP_RETURN_IF_ERROR(executor.run(index));
    ZP_RETURN_IF_ERROR(readDoubles(executor, entry, "loss_sum", pairs));
    for (uint64_t i = 0; i < batch; ++i)
      if (mine[i] >= 0)
        std::copy_n(&pairs[2 * i], 2, &sums[2 * static_cast<uint64_t>(mine[i])]);
    ++report.rounds;
    report.resident.peak = std::max(report.resident.peak, residentOwnBytes());
    if (logits)
      ZP_RETURN_IF_ERROR(logits->take(first, batch, entry.length(), scalars));
  }
  // Each rank has its own rows' sums, and zeros: one exchange at the end makes them everyone's.
  ZP_RETURN_IF_ERROR(communicator.allReduce(sums.data(), sums.size(), DType::F64));
  std::vector<RowSums> rows(dataset.rows());
  for (uint64_t row = 0; row < dataset.rows(); ++row) {
    rows[row] = {sums[2 * row], sums[2 * row + 1], dataset.row(row).countedLabels};
    report.all.loss += rows[row].loss;
    report.all.hits += rows[row].hits;
    report.all.counted += rows[row].counted;
  }
  report.ofBatches = meansOfBatches(rows, options.batches);
  if (logits)
    ZP_RETURN_IF_ERROR(logits->finish());
  report.resident.end = residentOwnBytes();
  return report;
}

} // namespace zp::rt

#include "runtime/generation/generate.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include <nlohmann/json.hpp>

#include "runtime/generation/sampler.h"
#include "runtime/io/convert_elements.h"
#include "runtime/schema/plan_generated.h"
#include "runtime/trainer/plan_entries.h"
#include "runtime/trainer/plan_settings.h"
#include "runtime/trainer/process_memory.h"

namespace zp::rt {

namespace {

constexpr uint64_t kMostPlaces = 1 << 30;

/// One entry with the memory of its inputs.
struct Pass {
  uint32_t index = 0;
  uint64_t rows = 0, length = 0;
  int32_t *ids = nullptr, *positions = nullptr;

  static StatusOr<Pass> find(const PlanEntries &entries, fbs::EntryKind kind, Executor &executor) {
    Pass pass;
    ZP_ASSIGN_OR_RETURN(pass.index, entries.longestEntry(kind));
    const fbs::Entry &entry = entries.entry(pass.index);
    pass.rows = entry.rows();
    pass.length = entry.length();
    ZP_ASSIGN_OR_RETURN(pass.ids, input(entry, "input_ids", executor));
    ZP_ASSIGN_OR_RETURN(pass.positions, input(entry, "position_ids", executor));
    return pass;
  }

  /// Token `i` of a row: an id at a place of the cache, or padding.
  void put(uint64_t row, uint64_t i, int32_t id, int64_t place) const {
    ids[row * length + i] = id;
    positions[row * length + i] = static_cast<int32_t>(place);
  }
  void pad(uint64_t row, uint64_t i) const { put(row, i, 0, -1); }

private:
  static StatusOr<int32_t *> input(const fbs::Entry &entry, const char *name, Executor &executor) {
    const uint32_t tensor = inputOf(entry, name);
    TensorView view = tensor == kNoTensor ? TensorView{} : executor.view(tensor);
    if (!view || view.dtype != DType::I32 || static_cast<uint64_t>(view.elements()) != uint64_t{entry.rows()} * entry.length())
      return Status(ErrorCode::PlanInvalid,
                    "plan: entries: " + std::string(name) +
                        " of prefill and decode is not an i32 tensor of rows · length elements; compile the plan again");
    return view.as<int32_t>();
  }
};

/// A prompt on its way.
struct Row {
  uint64_t prompt = 0; ///< its number
  uint64_t most = 0;   ///< new tokens
  std::vector<int32_t> tokens;
  uint64_t made = 0;
  bool ended = false;

  bool active() const { return made < most && !ended; }
};

class Generator {
public:
  Generator(const fbs::Plan &plan, const Prompts &prompts, const GenerationSettings &settings, Executor &executor,
            Communicator &communicator)
      : plan(plan), prompts(prompts), settings(settings), executor(executor), communicator(communicator) {}

  Status open() {
    PlanEntries entries(plan);
    ZP_ASSIGN_OR_RETURN(prefill, Pass::find(entries, fbs::EntryKind::Prefill, executor));
    ZP_ASSIGN_OR_RETURN(decode, Pass::find(entries, fbs::EntryKind::Decode, executor));
    ZP_ASSIGN_OR_RETURN(JobSettings job, settingsOf(plan));
    places = static_cast<uint64_t>(job.max_length);
    if (places == 0 || places > kMostPlaces / decode.rows)
      return Status(ErrorCode::PlanInvalid, "plan: settings: max_length is " + std::to_string(job.max_length) +
                                                ", expected 1 or more tokens and at most 2^30 in all rows; compile the plan again");
    const uint32_t output = outputOf(entries.entry(decode.index), "logits");
    logits = output == kNoTensor ? TensorView{} : executor.view(output);
    if (!logits || logits.rank != 2 || static_cast<uint64_t>(logits.dims[0]) != decode.rows || decode.length != 1 ||
        prefill.rows != decode.rows || !isFloat(logits.dtype))
      return Status(ErrorCode::PlanInvalid,
                    "plan: entries: decode has no output logits of its rows, or prefill other rows; compile the plan again");
    return {};
  }

  StatusOr<GenerateReport> run() {
    GenerateReport report;
    const uint64_t perRound = decode.rows * static_cast<uint64_t>(communicator.size());
    const auto start = std::chrono::steady_clock::now();
    for (uint64_t first = 0; first < prompts.rows.size(); first += perRound) {
      begin(first);
      ZP_RETURN_IF_ERROR(readPrompts(first, std::min<uint64_t>(first + perRound, prompts.rows.size())));
      ZP_RETURN_IF_ERROR(extend());
      ZP_RETURN_IF_ERROR(collect(report));
      report.residentPeak = std::max(report.residentPeak, residentOwnBytes());
    }
    report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    for (const auto &prompt : prompts.rows)
      report.promptTokens += prompt.size();
    for (const Continuation &continuation : report.continuations)
      report.newTokens += continuation.tokens.size();
    return report;
  }

private:
  void begin(uint64_t first) {
    rows.clear();
    for (uint64_t i = 0; i < decode.rows; ++i) {
      Row row;
      row.prompt = first + static_cast<uint64_t>(communicator.rank()) * decode.rows + i;
      if (row.prompt < prompts.rows.size()) {
        row.tokens = prompts.rows[row.prompt];
        row.most = std::min(settings.newTokens.value_or(places), places - row.tokens.size());
      }
      rows.push_back(std::move(row));
    }
  }

  /// All but the last token of each prompt, a chunk of every row at a time. Decode begins with the last, so rows of any lengths
  /// then go in step.
  Status readPrompts(uint64_t first, uint64_t end) {
    uint64_t longest = 0;
    for (uint64_t prompt = first; prompt < end; ++prompt)
      longest = std::max<uint64_t>(longest, prompts.rows[prompt].size());
    for (uint64_t from = 0; from + 1 < longest; from += prefill.length) {
      for (uint64_t r = 0; r < rows.size(); ++r)
        for (uint64_t i = 0; i < prefill.length; ++i)
          if (from + i + 1 < rows[r].tokens.size())
            prefill.put(r, i, rows[r].tokens[from + i], static_cast<int64_t>(from + i));
          else
            prefill.pad(r, i);
      ZP_RETURN_IF_ERROR(executor.run(prefill.index));
    }
    return {};
  }

  Status extend() {
    for (;;) {
      double active = static_cast<double>(std::count_if(rows.begin(), rows.end(), [](const Row &row) { return row.active(); }));
      ZP_RETURN_IF_ERROR(communicator.allReduce(&active, 1, DType::F64));
      if (active == 0)
        return {};
      for (uint64_t r = 0; r < rows.size(); ++r)
        if (rows[r].active())
          decode.put(r, 0, rows[r].tokens.back(), static_cast<int64_t>(rows[r].tokens.size()) - 1);
        else
          decode.pad(r, 0);
      ZP_RETURN_IF_ERROR(executor.run(decode.index));
      for (uint64_t r = 0; r < rows.size(); ++r)
        if (rows[r].active())
          ZP_RETURN_IF_ERROR(take(r));
    }
  }

  /// Row `r`'s next token.
  Status take(uint64_t r) {
    Row &row = rows[r];
    const auto vocabulary = static_cast<uint64_t>(logits.dims[1]);
    scores.resize(vocabulary);
    convertElements(logits.as<std::byte>() + bytesOf(logits.dtype, r * vocabulary), logits.dtype, scores.data(), DType::F32,
                    vocabulary);
    if (!std::all_of(scores.begin(), scores.end(), [](float score) { return std::isfinite(score); }))
      return Status(ErrorCode::NonFinite,
                    "prompt " + std::to_string(row.prompt) + ": the logits of new token " + std::to_string(row.made) +
                        " are not finite, expected numbers; check the weights of the model and the adapter");
    const int32_t token = nextToken(scores, row.tokens, settings,
                                    {settings.seed, static_cast<uint32_t>(row.prompt), static_cast<uint32_t>(row.made)});
    row.tokens.push_back(token);
    ++row.made;
    row.ended = token == prompts.end || std::find(settings.ends.begin(), settings.ends.end(), token) != settings.ends.end();
    return {};
  }

  /// Every rank's rows to rank 0: of each, how many new tokens, whether it ended, and the tokens.
  Status collect(GenerateReport &report) {
    const uint64_t record = 2 + std::min(settings.newTokens.value_or(places), places);
    const auto ranks = static_cast<uint64_t>(communicator.size());
    std::vector<int32_t> mine(decode.rows * record), all(mine.size() * ranks);
    for (uint64_t r = 0; r < rows.size(); ++r) {
      mine[r * record] = static_cast<int32_t>(rows[r].made);
      mine[r * record + 1] = rows[r].ended;
      std::copy(rows[r].tokens.end() - static_cast<std::ptrdiff_t>(rows[r].made), rows[r].tokens.end(),
                mine.begin() + static_cast<std::ptrdiff_t>(r * record + 2));
    }
    ZP_RETURN_IF_ERROR(communicator.allGather(mine.data(), all.data(), mine.size() * sizeof(int32_t)));
    for (uint64_t at = 0; communicator.rank() == 0 && at < all.size() && report.continuations.size() < prompts.rows.size();
         at += record) {
      const auto tokens = all.begin() + static_cast<std::ptrdiff_t>(at + 2);
      report.continuations.push_back({{tokens, tokens + all[at]}, all[at + 1] != 0});
    }
    return {};
  }

  const fbs::Plan &plan;
  const Prompts &prompts;
  const GenerationSettings &settings;
  Executor &executor;
  Communicator &communicator;
  Pass prefill, decode;
  TensorView logits;
  uint64_t places = 0; ///< of a row in the cache
  std::vector<Row> rows;
  std::vector<float> scores;
};

} // namespace

StatusOr<GenerateReport> generate(const fbs::Plan &plan, const Prompts &prompts, const GenerationSettings &settings,
                                  Executor &executor, Communicator &communicator) {
  Generator generator(plan, prompts, settings, executor, communicator);
  ZP_RETURN_IF_ERROR(generator.open());
  return generator.run();
}

std::string linesOf(const Prompts &prompts, const std::vector<Continuation> &continuations) {
  std::string lines;
  for (size_t row = 0; row < continuations.size(); ++row) {
    const Continuation &continuation = continuations[row];
    lines += nlohmann::ordered_json{{"row", row},
                                    {"prompt_tokens", prompts.rows[row].size()},
                                    {"tokens", continuation.tokens},
                                    {"ended", continuation.ended ? "eos" : "length"}}
                 .dump() +
             "\n";
  }
  return lines;
}

} // namespace zp::rt

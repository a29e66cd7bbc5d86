#include "runtime/generation/generate.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <nlohmann/json.hpp>

#include "runtime/generation/generating_plan.h"
#include "runtime/io/convert_elements.h"
#include "runtime/schema/plan_generated.h"
#include "runtime/trainer/process_memory.h"

namespace zp::rt {

namespace {

/// Where a text that begins with so many tokens ends: as one of the two lengths says, and in any case where the cache does.
uint64_t maxLengthOf(const GenerationSettings &settings, uint64_t given, uint64_t places) {
  if (settings.max_new_tokens)
    return std::min(places, given + std::min(*settings.max_new_tokens, places));
  return std::min(places, settings.max_length.value_or(places));
}

class Generator {
public:
  Generator(const GeneratingPlan &plan, const Prompts &prompts, const GenerationSettings &given, Executor &executor, Communicator &communicator,
            const TokenListener &heard)
      : plan(plan), prompts(prompts), settings(given), executor(executor), communicator(communicator), heard(heard) {
    if (prompts.end && !settings.noOtherEnds && !settings.isEnd(*prompts.end))
      settings.eos_token_id.push_back(*prompts.end);
    if (plan.encode)
      start = {settings.decoder_start_token_id.value_or(prompts.start.value_or(0))}; // checkGeneration: one of them is there
  }

  StatusOr<GenerateReport> run() {
    GenerateReport report;
    const uint64_t perRound = plan.prompts() * static_cast<uint64_t>(communicator.size());
    const auto before = std::chrono::steady_clock::now();
    for (uint64_t first = 0; first < prompts.rows.size(); first += perRound) {
      begin(first);
      ZP_RETURN_IF_ERROR(plan.encode ? readSources() : readPrompts(first, std::min<uint64_t>(first + perRound, prompts.rows.size())));
      ZP_RETURN_IF_ERROR(extend());
      ZP_RETURN_IF_ERROR(collect(report));
      report.residentPeak = std::max(report.residentPeak, residentOwnBytes());
    }
    report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
    for (const auto &prompt : prompts.rows)
      report.promptTokens += prompt.size();
    for (const Continuation &continuation : report.continuations)
      report.newTokens += continuation.tokens.size();
    return report;
  }

private:
  /// This rank's searches of the round that begins with prompt `first`. Search i has the rows from i · beams on.
  void begin(uint64_t first) {
    searches.clear();
    firstHere = first + static_cast<uint64_t>(communicator.rank()) * plan.prompts();
    for (uint64_t i = firstHere; i < std::min<uint64_t>(firstHere + plan.prompts(), prompts.rows.size()); ++i) {
      const std::vector<int32_t> &text = plan.encode ? start : prompts.rows[i];
      searches.push_back(makeSearch({text, prompts.rows[i], i, maxLengthOf(settings, text.size(), plan.places), &settings,
                                     settings.stop_strings.empty() ? nullptr : &prompts.tokenTexts}));
    }
  }

  /// All but the last token of each prompt, a chunk of every row at a time. Decode begins with the last, so rows of any lengths
  /// then go in step.
  Status readPrompts(uint64_t first, uint64_t end) {
    const TokenPass &prefill = *plan.prefill;
    uint64_t longest = 0;
    for (uint64_t prompt = first; prompt < end; ++prompt)
      longest = std::max<uint64_t>(longest, prompts.rows[prompt].size());
    for (uint64_t from = 0; from + 1 < longest; from += prefill.length) {
      for (uint64_t row = 0; row < prefill.rows; ++row) {
        const std::span<const int32_t> tokens = tokensOf(row);
        for (uint64_t i = 0; i < prefill.length; ++i)
          if (from + i + 1 < tokens.size())
            prefill.put(row, i, tokens[from + i], static_cast<int64_t>(from + i));
          else
            prefill.pad(row, i);
      }
      ZP_RETURN_IF_ERROR(executor.run(prefill.index));
    }
    return {};
  }

  /// The sources, once: what the decoder needs of them stays in the plan's caches. Padding has positions too, which nobody sees.
  Status readSources() {
    const TokenPass &encode = *plan.encode;
    for (uint64_t row = 0; row < encode.rows; ++row) {
      const uint64_t tokens = row < searches.size() ? prompts.rows[firstHere + row].size() : 0;
      for (uint64_t i = 0; i < encode.length; ++i) {
        encode.put(row, i, i < tokens ? prompts.rows[firstHere + row][i] : 0, static_cast<int64_t>(i));
        encode.segments[row * encode.length + i] = i < tokens ? 0 : -1;
      }
    }
    sourceSegments.assign(encode.segments, encode.segments + encode.rows * encode.length);
    return executor.run(encode.index);
  }

  /// The text of a row of the plan; none where the row has no beam, or its search is over.
  std::span<const int32_t> tokensOf(uint64_t row) const {
    const uint64_t search = row / plan.beams(), beam = row % plan.beams();
    if (search >= searches.size() || searches[search]->over() || beam >= searches[search]->beams())
      return {};
    return searches[search]->tokens(beam);
  }

  Status extend() {
    for (;;) {
      double active = static_cast<double>(std::count_if(searches.begin(), searches.end(), [](const auto &search) { return !search->over(); }));
      ZP_RETURN_IF_ERROR(communicator.allReduce(&active, 1, DType::F64));
      if (active == 0)
        return {};
      ZP_RETURN_IF_ERROR(followBeams());
      for (uint64_t row = 0; row < plan.rows(); ++row)
        if (const std::span<const int32_t> tokens = tokensOf(row); !tokens.empty())
          plan.decode.put(row / plan.beams(), row % plan.beams(), tokens.back(), static_cast<int64_t>(tokens.size()) - 1);
        else
          plan.decode.pad(row / plan.beams(), row % plan.beams());
      if (plan.encode) {
        std::fill_n(plan.decode.segments, plan.rows(), 0);
        std::copy(sourceSegments.begin(), sourceSegments.end(), plan.sourceSegments);
      }
      ZP_RETURN_IF_ERROR(executor.run(plan.decode.index));
      for (uint64_t i = 0; i < searches.size(); ++i)
        if (!searches[i]->over())
          ZP_RETURN_IF_ERROR(take(i));
    }
  }

  /// Gives each beam the cache of the one that it goes on from. No rank waits for another here.
  Status followBeams() {
    bool moved = false;
    for (uint64_t row = 0; plan.reorder && row < plan.rows(); ++row) {
      const uint64_t search = row / plan.beams();
      const uint64_t origin = tokensOf(row).empty() ? row : search * plan.beams() + searches[search]->origin(row % plan.beams());
      plan.origins[row] = static_cast<int32_t>(origin);
      moved |= origin != row;
    }
    return moved ? executor.run(*plan.reorder) : Status();
  }

  /// The next tokens of a search.
  Status take(uint64_t i) {
    const auto vocabulary = static_cast<uint64_t>(plan.logits.dims[1]);
    scores.resize(searches[i]->beams() * vocabulary);
    convertElements(plan.logits.as<std::byte>() + bytesOf(plan.logits.dtype, i * plan.beams() * vocabulary), plan.logits.dtype, scores.data(),
                    DType::F32, scores.size());
    if (!std::all_of(scores.begin(), scores.end(), [](float score) { return std::isfinite(score); }))
      return Status(ErrorCode::NonFinite, "prompt " + std::to_string(firstHere + i) + ": the logits behind token " +
                                              std::to_string(searches[i]->tokens(0).size() - 1) +
                                              " are not finite, expected numbers; check the weights of the model and the adapter");
    searches[i]->step(scores);
    if (heard)
      heard(firstHere + i, searches[i]->tokens(0).back(), searches[i]->over());
    return {};
  }

  /// Every rank's texts to rank 0: of each, how many new tokens, whether it ended, and the tokens.
  Status collect(GenerateReport &report) {
    const uint64_t record = 2 + plan.places;
    std::vector<int32_t> mine(plan.prompts() * record), all(mine.size() * static_cast<uint64_t>(communicator.size()));
    for (uint64_t i = 0; i < searches.size(); ++i) {
      const Continuation made = searches[i]->result();
      mine[i * record] = static_cast<int32_t>(made.tokens.size());
      mine[i * record + 1] = made.ended;
      std::copy(made.tokens.begin(), made.tokens.end(), mine.begin() + static_cast<std::ptrdiff_t>(i * record + 2));
    }
    ZP_RETURN_IF_ERROR(communicator.allGather(mine.data(), all.data(), mine.size() * sizeof(int32_t)));
    for (uint64_t at = 0; communicator.rank() == 0 && at < all.size() && report.continuations.size() < prompts.rows.size(); at += record) {
      const auto tokens = all.begin() + static_cast<std::ptrdiff_t>(at + 2);
      report.continuations.push_back({{tokens, tokens + all[at]}, all[at + 1] != 0});
    }
    return {};
  }

  const GeneratingPlan &plan;
  const Prompts &prompts;
  GenerationSettings settings;
  Executor &executor;
  Communicator &communicator;
  const TokenListener &heard;
  std::vector<int32_t> start; ///< what a decoder that is led by a source begins with
  uint64_t firstHere = 0;     ///< the prompt of the first search
  std::vector<std::unique_ptr<TextSearch>> searches;
  std::vector<int32_t> sourceSegments;
  std::vector<float> scores;
};

} // namespace

Status checkGeneration(const std::string &path, const fbs::Plan &plan, const GenerationSettings &settings, const Prompts &prompts) {
  auto wrong = [](const std::string &what) { return Status(ErrorCode::Config, what); };
  const uint64_t room = beamsOf(plan);
  const bool encoderDecoder = sourceLengthOf(plan) > 0;
  ZP_RETURN_IF_ERROR(checkTokens(settings, plan.vocab_size(), encoderDecoder));
  if (settings.num_beams > room)
    return wrong(path + ": has room for " + std::to_string(room) + " beams of a prompt, expected the " + std::to_string(settings.num_beams) +
                 " of --num_beams or generation_config.json; import again with --num_beams " + std::to_string(settings.num_beams) +
                 ", or give --num_beams " + std::to_string(room));
  if (encoderDecoder && !settings.decoder_start_token_id && !prompts.start)
    return wrong("--decoder_start_token_id: is missing, also from generation_config.json, expected the token that the decoder "
                 "begins with; give it");
  if (!settings.stop_strings.empty() && prompts.tokenTexts.empty())
    return wrong("--stop_strings: the prompts' file doesn't say what tokens mean, expected their texts; make it with zpdata "
                 "prompts --token_text true");
  for (uint64_t row = 0; row < prompts.rows.size() && settings.max_length && !settings.max_new_tokens; ++row)
    if (const uint64_t given = encoderDecoder ? 1 : prompts.rows[row].size(); given >= *settings.max_length)
      return wrong("--max_length: is " + std::to_string(*settings.max_length) + ", expected more than the " + std::to_string(given) +
                   " tokens that prompt " + std::to_string(row) + " has; use --max_new_tokens");
  return {};
}

StatusOr<GenerateReport> generate(const fbs::Plan &file, const Prompts &prompts, const GenerationSettings &settings, Executor &executor,
                                  Communicator &communicator, const TokenListener &heard) {
  ZP_ASSIGN_OR_RETURN(GeneratingPlan plan, GeneratingPlan::open(file, executor));
  return Generator(plan, prompts, settings, executor, communicator, heard).run();
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

#include "runtime/generation/text_search.h"

#include "runtime/generation/beam_search.h"
#include "runtime/generation/logits_processors.h"
#include "runtime/generation/sampler.h"
#include "runtime/generation/stop_strings.h"

namespace zp::rt {

namespace {

/// What both searches ask of a request.
class Rules {
public:
  explicit Rules(const SearchRequest &request) : request(request) {}

  const GenerationSettings &settings() const { return *request.settings; }
  uint64_t promptLength() const { return request.prompt.size(); }
  TextSoFar textSoFar(std::span<const int32_t> tokens) const { return {tokens, request.source, promptLength(), request.maxLength}; }
  bool ends(std::span<const int32_t> tokens) const {
    return settings().isEnd(tokens.back()) || (request.tokenTexts && StopStrings(settings().stop_strings, *request.tokenTexts).end(tokens));
  }
  Continuation continuationOf(const std::vector<int32_t> &tokens) const {
    const bool any = tokens.size() > promptLength();
    return {{tokens.begin() + static_cast<std::ptrdiff_t>(promptLength()), tokens.end()}, any && ends(tokens)};
  }

  const SearchRequest request;
};

class SingleSearch final : public TextSearch {
public:
  explicit SingleSearch(const SearchRequest &request) : rules(request), text(request.prompt.begin(), request.prompt.end()) {}

  uint64_t beams() const override { return 1; }
  std::span<const int32_t> tokens(uint64_t) const override { return text; }
  uint64_t origin(uint64_t) const override { return 0; }
  bool over() const override { return isOver; }
  Continuation result() const override { return rules.continuationOf(text); }

  void step(std::span<float> logits) override {
    processLogits(logits, rules.settings(), rules.textSoFar(text));
    const auto made = static_cast<uint32_t>(text.size() - rules.promptLength());
    text.push_back(nextToken(logits, rules.settings(), {rules.settings().seed, static_cast<uint32_t>(rules.request.number), made}));
    isOver = text.size() >= rules.request.maxLength || rules.ends(text);
  }

private:
  const Rules rules;
  std::vector<int32_t> text;
  bool isOver = false;
};

class BeamTextSearch final : public TextSearch {
public:
  explicit BeamTextSearch(const SearchRequest &request)
      : rules(request),
        search(request.prompt, rules.settings(), request.maxLength, [this](std::span<const int32_t> tokens) { return rules.ends(tokens); }) {}

  uint64_t beams() const override { return search.beams(); }
  std::span<const int32_t> tokens(uint64_t beam) const override { return search.tokens(beam); }
  uint64_t origin(uint64_t beam) const override { return search.origin(beam); }
  bool over() const override { return search.over(); }
  Continuation result() const override { return rules.continuationOf(search.best()); }

  void step(std::span<float> logits) override {
    const uint64_t vocabulary = logits.size() / beams();
    for (uint64_t beam = 0; beam < beams(); ++beam) {
      const std::span<float> scores = logits.subspan(beam * vocabulary, vocabulary);
      logSoftmax(scores);
      processLogits(scores, rules.settings(), rules.textSoFar(search.tokens(beam)));
      if (rules.settings().renormalize_logits)
        logSoftmax(scores);
    }
    search.step(logits);
  }

private:
  const Rules rules;
  BeamSearch search;
};

} // namespace

std::unique_ptr<TextSearch> makeSearch(const SearchRequest &request) {
  if (request.settings->num_beams > 1)
    return std::make_unique<BeamTextSearch>(request);
  return std::make_unique<SingleSearch>(request);
}

} // namespace zp::rt

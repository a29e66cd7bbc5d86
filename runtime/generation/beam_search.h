// Beam search for one prompt, as transformers 5.23 does it: its arithmetic in f32, its rules for when it is over.
#ifndef ZP_RUNTIME_GENERATION_BEAM_SEARCH_H
#define ZP_RUNTIME_GENERATION_BEAM_SEARCH_H

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "runtime/generation/generation_settings.h"

namespace zp::rt {

/// Whether a text is over, besides by its length.
using TextEnds = std::function<bool(std::span<const int32_t> tokens)>;

class BeamSearch {
public:
  /// `maxLength`: tokens of a text in all, more than the prompt has. `settings` outlives this.
  BeamSearch(std::span<const int32_t> prompt, const GenerationSettings &settings, uint64_t maxLength, TextEnds ends);

  uint64_t beams() const { return running.size(); }
  /// A beam's text; all are equally long.
  const std::vector<int32_t> &tokens(uint64_t beam) const { return running[beam].tokens; }
  /// The beam that a beam's text but its last token was, before the last step.
  uint64_t origin(uint64_t beam) const { return running[beam].origin; }
  bool over() const { return isOver; }

  /// One token more for every beam. `scores` [beams, vocabulary]: log-probabilities of its next token (processLogits).
  void step(std::span<const float> scores);

  /// The best text so far that has ended; the prompt alone before one has.
  const std::vector<int32_t> &best() const { return finished[0].tokens; }

private:
  struct Beam {
    std::vector<int32_t> tokens;
    float score = 0; ///< running: its log-probability; finished: with the length's share
    uint64_t origin = 0;
    bool ended = false;
  };
  std::vector<Beam> bestContinuations(std::span<const float> scores) const;
  void keepRunning(const std::vector<Beam> &candidates);
  void keepFinished(const std::vector<Beam> &candidates);
  void checkWhetherOver(const std::vector<Beam> &candidates);
  float lengthShare(uint64_t newTokens) const;
  bool allFinished() const;

  const GenerationSettings &settings;
  const uint64_t promptLength, maxLength;
  const TextEnds ends;
  uint64_t length; ///< of the running texts
  std::vector<Beam> running, finished;
  bool canImprove = true, isOver = false;
};

/// Logits become log-probabilities, in place.
void logSoftmax(std::span<float> logits);

} // namespace zp::rt

#endif // ZP_RUNTIME_GENERATION_BEAM_SEARCH_H

// One prompt on its way: which tokens its rows of the plan take next, and what becomes of their logits.
#ifndef ZP_RUNTIME_GENERATION_TEXT_SEARCH_H
#define ZP_RUNTIME_GENERATION_TEXT_SEARCH_H

#include <memory>
#include <span>
#include <vector>

#include "runtime/generation/generation_settings.h"

namespace zp::rt {

struct Continuation {
  std::vector<int32_t> tokens; ///< new ones, the one that ended the text included
  bool ended = false;          ///< by a token or a text that ends one, not by length
};

/// What a search is about. The spans and what is pointed to outlive it.
struct SearchRequest {
  std::span<const int32_t> prompt; ///< what the text begins with, a token at least
  std::span<const int32_t> source; ///< the encoder's tokens; of other models the prompt
  uint64_t number = 0;             ///< of the prompt, for draws and messages
  uint64_t maxLength = 0;          ///< tokens of the text in all, more than the prompt has
  const GenerationSettings *settings = nullptr;
  const std::vector<std::string> *tokenTexts = nullptr; ///< of the vocabulary, where there are stop_strings
};

class TextSearch {
public:
  virtual ~TextSearch() = default;
  /// Texts that are kept at once: rows of the plan.
  virtual uint64_t beams() const = 0;
  /// The whole text of a beam; its last token is what the model takes next.
  virtual std::span<const int32_t> tokens(uint64_t beam) const = 0;
  /// The beam whose cache a beam goes on with, since the last step.
  virtual uint64_t origin(uint64_t beam) const = 0;
  virtual bool over() const = 0;
  /// One step. `logits` [beams, vocabulary] are finite, and are changed.
  virtual void step(std::span<float> logits) = 0;
  virtual Continuation result() const = 0;
};

/// Beams where the settings have more than one, else one token after another, the most probable or a drawn one.
std::unique_ptr<TextSearch> makeSearch(const SearchRequest &request);

} // namespace zp::rt

#endif // ZP_RUNTIME_GENERATION_TEXT_SEARCH_H

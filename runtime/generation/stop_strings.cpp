#include "runtime/generation/stop_strings.h"

namespace zp::rt {

bool StopStrings::end(std::span<const int32_t> tokens) const {
  auto isKnown = [&](int32_t token) { return token >= 0 && static_cast<size_t>(token) < tokenTexts.size(); };
  auto textOf = [&](int32_t token) { return std::string_view(tokenTexts[static_cast<size_t>(token)]); };
  if (tokens.empty() || !isKnown(tokens.back()))
    return false;
  for (const std::string &stop : stops) {
    // The last token, and before it as much as an occurrence that ends there can reach back. A model may have more tokens than the
    // tokenizer; no text goes on over one of those.
    std::string text(textOf(tokens.back()));
    const size_t last = text.size();
    for (size_t i = tokens.size() - 1; i > 0 && text.size() < last + stop.size() && isKnown(tokens[i - 1]); --i)
      text.insert(0, textOf(tokens[i - 1]));
    const size_t start = text.size() - last;
    const size_t found = text.find(stop, start + 1 < stop.size() ? 0 : start + 1 - stop.size());
    if (found != std::string::npos && last > 0)
      return true;
  }
  return false;
}

} // namespace zp::rt

// Texts that end a text, looked for where its last token is.
#ifndef ZP_RUNTIME_GENERATION_STOP_STRINGS_H
#define ZP_RUNTIME_GENERATION_STOP_STRINGS_H

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace zp::rt {

class StopStrings {
public:
  /// `tokenTexts`: what each token of the vocabulary says, in UTF-8; it and `stops` outlive this.
  StopStrings(const std::vector<std::string> &stops, const std::vector<std::string> &tokenTexts) : stops(stops), tokenTexts(tokenTexts) {}

  /// Whether one of them ends within the last token; it may begin in any token before, and the last may go on after it.
  bool end(std::span<const int32_t> tokens) const;

private:
  const std::vector<std::string> &stops, &tokenTexts;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_GENERATION_STOP_STRINGS_H

#include "frontends/process/Step.h"

namespace zp::fe {

static std::string quoted(const std::string &word) {
  const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos)
    return word;
  std::string out = "'";
  for (char c : word)
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string commandLine(const Step &step) {
  std::string line;
  for (const auto &[name, value] : step.environment)
    line += name + "=" + quoted(value) + " ";
  for (size_t i = 0; i < step.words.size(); ++i)
    line += (i ? " " : "") + quoted(i ? step.words[i] : step.words[0].substr(step.words[0].rfind('/') + 1));
  return line;
}

} // namespace zp::fe

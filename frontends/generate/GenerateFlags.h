// The command line of `zp generate`.
#ifndef ZP_FRONTENDS_GENERATE_GENERATEFLAGS_H
#define ZP_FRONTENDS_GENERATE_GENERATEFLAGS_H

#include <optional>
#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace zp::fe {

struct GenerateArguments {
  std::string model, adapter;
  std::vector<std::string> prompts; ///< texts
  std::string promptFile;           ///< instead of them
  std::string chatFormat = "none";
  std::optional<int64_t> newTokens, maxLength, sourceLength, beams;
  int64_t ranks = 1;
  std::vector<std::string> runFlags;    ///< of zprun generate: --temperature T …
  std::vector<std::string> importFlags; ///< of zpc import
  std::vector<std::string> pairFlags;   ///< of zpdata prompts --mode seq2seq: --source_column NAME …
  bool stopStrings = false;             ///< whether runFlags have some
  bool json = false, quiet = false, help = false;
};

/// `--name value`, `--name=value`, `-` for `_`; booleans bare or with a word. A setting of zpc import is a flag too. Usage,
/// UnknownKey with the nearest flag.
StatusOr<GenerateArguments> parseGenerateFlags(const std::vector<std::string> &words);

std::string generateHelp();

} // namespace zp::fe

#endif // ZP_FRONTENDS_GENERATE_GENERATEFLAGS_H

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
  std::optional<int64_t> newTokens, maxLength, promptLength, beams;
  int64_t ranks = 1;
  std::string mode = "sft";             ///< of the rows of the file: sft, causal, seq2seq
  std::vector<std::string> dataFlags;   ///< of zpdata prompts: --source_column=NAME …
  std::vector<std::string> runFlags;    ///< of zprun generate: --temperature=T …
  std::vector<std::string> importFlags; ///< of zpc import
  bool stopStrings = false;             ///< whether runFlags have some
  std::optional<bool> stream;           ///< without it, on a terminal
  bool json = false, quiet = false, reportMemory = false, help = false;
};

/// `--name value`, `--name=value`, `-` for `_`; booleans bare or with a word. A setting of zpc import is a flag too. Usage,
/// UnknownKey with the nearest flag.
StatusOr<GenerateArguments> parseGenerateFlags(const std::vector<std::string> &words);

std::string generateHelp();

} // namespace zp::fe

#endif // ZP_FRONTENDS_GENERATE_GENERATEFLAGS_H

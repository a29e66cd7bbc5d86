// The command line of `zp sft`, by the one table of flags.
#ifndef ZP_FRONTENDS_SFT_SFTFLAGS_H
#define ZP_FRONTENDS_SFT_SFTFLAGS_H

#include <map>
#include <string>
#include <vector>

#include "frontends/accelerate/KeyTable.h"

namespace zp::fe {

/// SftFlags.inc, and a row for every setting that it lacks.
const KeyTable &sftFlags();

struct SftArguments {
  std::map<std::string, std::string> given; ///< flag (its name of today) to value; booleans are true or false
  std::vector<std::string> notes;           ///< a line for each flag that has no effect, with the reason
  bool help = false;

  bool isOn(const std::string &flag) const;
  /// The value, or `absent`.
  std::string get(const std::string &flag, const std::string &absent = "") const;
};

/// As the reference's parser takes them: `--name value`, `--name=value`, `-` for `_`, unique prefixes, booleans bare,
/// with a word or as `--no_name`; one lone FILE.json holds all flags; a .py script's name is skipped. UnknownKey with
/// the nearest flag, Usage for a value of the wrong kind, Config for what isn't built.
StatusOr<SftArguments> parseSftFlags(const std::vector<std::string> &words);

std::string sftHelp();

} // namespace zp::fe

#endif // ZP_FRONTENDS_SFT_SFTFLAGS_H

// The flags of `zpc import`: each setting of runtime/schema/settings.inc by its name, and the
// files.
#ifndef ZP_FRONTENDS_CLI_IMPORTFLAGS_H
#define ZP_FRONTENDS_CLI_IMPORTFLAGS_H

#include <set>
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/schema/settings.h"

namespace zp::fe {

struct ImportOptions {
  JobSettings settings;
  std::set<std::string> given; ///< the settings that a flag named
  std::string model;           ///< --model, verbatim
  std::string adapter;         ///< --adapter_name_or_path; empty without
  std::string configFile;      ///< --config_file, an Accelerate YAML; empty without
  std::string output = "-";    ///< -o; - is standard output
  bool help = false;
};

/// `--name value`, `--name=value`, `-` and `_` alike, bare `--name` for true. UnknownKey with the
/// nearest flag, Usage for a value of the wrong kind, Config for flags that contradict each other.
/// Ranges are checked elsewhere.
StatusOr<ImportOptions> parseImportFlags(const std::vector<std::string> &words);

/// What --help prints.
std::string importHelp();

} // namespace zp::fe

#endif // ZP_FRONTENDS_CLI_IMPORTFLAGS_H

// The flags of `zpc import` beside the configuration file that they name.
#ifndef ZP_FRONTENDS_CLI_CONFIGUREDFLAGS_H
#define ZP_FRONTENDS_CLI_CONFIGUREDFLAGS_H

#include "frontends/cli/ImportFlags.h"

namespace zp::fe {

/// parseImportFlags, and with --config_file the settings of that file behind the flags: their names are in `given` too. `notes`: what is
/// to be said of the file, a line each. Errors: those of the flags and of the file, and Config where they contradict each other.
StatusOr<ImportOptions> parseConfiguredFlags(const std::vector<std::string> &words, std::vector<std::string> &notes);

} // namespace zp::fe

#endif // ZP_FRONTENDS_CLI_CONFIGUREDFLAGS_H

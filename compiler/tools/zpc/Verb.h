// What every verb of zpc does with its command line.
#ifndef ZP_COMPILER_TOOLS_ZPC_VERB_H
#define ZP_COMPILER_TOOLS_ZPC_VERB_H

#include <cstdio>

#include "compiler/tools/zpc/PlanCommand.h"

namespace zp {

/// Parses, shows the help that was asked for, or runs. `parse(argc, argv)` gives options or what is wrong with them, `run(options)` a Status; one
/// without a message is of a failure that diagnostics have told. Returns the exit code.
template <class Parse, class HelpText, class Run> int runVerb(int argc, char **argv, Parse parse, HelpText helpText, Run run) {
  auto options = parse(argc, argv);
  if (!options.ok())
    return reportError(options.status());
  if (options->help)
    return std::fputs(helpText().c_str(), stdout), 0;
  Status status = run(*options);
  return status.ok() ? 0 : status.message().empty() ? exitCodeOf(status.code()) : reportError(status);
}

} // namespace zp

#endif // ZP_COMPILER_TOOLS_ZPC_VERB_H

// Runs a tool, or two in a pipe, and waits for it.
#ifndef ZP_FRONTENDS_PROCESS_PROCESS_H
#define ZP_FRONTENDS_PROCESS_PROCESS_H

#include "frontends/process/Step.h"
#include "runtime/base/status.h"

namespace zp::fe {

/// The tool's exit code; 128 + N when signal N ended it. SIGTERM and SIGINT that come meanwhile go on to the tool,
/// which knows how to end. Standard output goes to `output` when it is no -1. FileMissing when the tool can't be
/// started.
StatusOr<int> runTool(const Step &step, int output = -1);

/// Both at once: the standard output of one is the standard input of the other. The reader's exit code, or the writer's where
/// that is 0; signals go to the writer, whose end is the reader's.
StatusOr<int> runPiped(const Step &writing, const Step &reading);

} // namespace zp::fe

#endif // ZP_FRONTENDS_PROCESS_PROCESS_H

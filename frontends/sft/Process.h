// Runs a tool and waits for it.
#ifndef ZP_FRONTENDS_SFT_PROCESS_H
#define ZP_FRONTENDS_SFT_PROCESS_H

#include "frontends/sft/Steps.h"

namespace zp::fe {

/// The tool's exit code; 128 + N when signal N ended it. SIGTERM and SIGINT that come meanwhile go on to the tool,
/// which knows how to end. Standard output goes to `output` when it is no -1. FileMissing when the tool can't be
/// started.
StatusOr<int> runTool(const Step &step, int output = -1);

} // namespace zp::fe

#endif // ZP_FRONTENDS_SFT_PROCESS_H

// zprun as a function: parses, checks, starts the ranks, runs the verb; the exit code is README.md's.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_ZPRUN_H
#define ZP_RUNTIME_TOOLS_ZPRUN_ZPRUN_H

#include "runtime/executor/executor.h"

namespace zp::rt {

/// `cuda` runs plans for CUDA; without it they are refused.
int zprunMain(int argc, char **argv, ExecutorFactory cuda = nullptr);

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_ZPRUN_H

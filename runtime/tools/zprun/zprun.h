// zprun as a function: parses, checks, starts the ranks, runs the verb; the exit code is README.md's.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_ZPRUN_H
#define ZP_RUNTIME_TOOLS_ZPRUN_ZPRUN_H

namespace zp::rt {

int zprunMain(int argc, char **argv);

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_ZPRUN_H

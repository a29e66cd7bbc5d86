// The last resort of a tool's main.
#ifndef ZP_RUNTIME_BASE_GUARDED_H
#define ZP_RUNTIME_BASE_GUARDED_H

#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "runtime/base/status.h"

namespace zp {

/// run()'s exit code. An exception that nobody has caught, of the standard library's when memory has run out, is a line and a code too.
template <typename Run> int guarded(const char *tool, Run &&run) {
  Status status;
  try {
    return run();
  } catch (const std::bad_alloc &) {
    status = Status(ErrorCode::HostMemory,
                    std::string(tool) + ": this host has no memory left for it, expected some; end other programs, or ask for less");
  } catch (const std::exception &error) {
    status = Status(ErrorCode::Internal, std::string(tool) + ": " + error.what() + ", expected no exception; report this");
  }
  std::fprintf(stderr, "%s\n", status.toString().c_str());
  return exitCodeOf(status.code());
}

} // namespace zp

#endif // ZP_RUNTIME_BASE_GUARDED_H

// One message a job: ranks that fail for the same reason, or only because another failed, keep quiet.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_FIRST_ERROR_H
#define ZP_RUNTIME_TOOLS_ZPRUN_FIRST_ERROR_H

#include "runtime/base/status.h"

namespace zp::rt {

/// Prints one status, on stderr.
void printError(const Status &status);

/// Made before ranks are forked, used in each of them: the first error of a rank itself is printed, and the first loss of a
/// peer while no such error has been.
class FirstError {
public:
  FirstError();
  /// Whether the caller is to print it: once in a job, and nobody says the loss of a peer after that.
  bool claim(const Status &status);

private:
  struct Shared;
  Shared *shared; // lives until the last process of the job ends
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_FIRST_ERROR_H

#include "runtime/tools/zprun/last_words.h"

#include <cstdio>
#include <unistd.h>

namespace zp::rt {

void LastWords::tell(const Status &status) {
  if (told)
    return;
  told = true;
  owed = errors.claim(status);
  communicator.abort();
}

void LastWords::print(const Status &status) {
  tell(status);
  if (owed)
    printError(status);
  owed = false;
}

void LastWords::tellPeers(const Status &status) {
  const std::lock_guard lock(mutex);
  tell(status);
}

void LastWords::say(const Status &status) {
  const std::lock_guard lock(mutex);
  print(status);
}

void LastWords::sayAndEnd(const Status &status) {
  mutex.lock(); // never unlocked: a second thread that fails waits here until the process ends
  print(status);
  std::fflush(nullptr);
  ::_exit(exitCodeOf(status.code()));
}

} // namespace zp::rt

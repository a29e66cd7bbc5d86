#include "runtime/tools/zprun/first_error.h"

#include <atomic>
#include <cstdio>
#include <new>
#include <sys/mman.h>

namespace zp::rt {

struct FirstError::Shared {
  std::atomic<bool> own{false}, peer{false};
};

void printError(const Status &status) { std::fprintf(stderr, "%s\n", status.toString().c_str()); }

FirstError::FirstError() {
  void *page = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  shared = page == MAP_FAILED ? nullptr : new (page) Shared;
}

bool FirstError::claim(const Status &status) {
  const bool lostPeer = status.code() == ErrorCode::PeerLost;
  return !shared || (lostPeer ? !shared->own && !shared->peer.exchange(true) : !shared->own.exchange(true));
}

} // namespace zp::rt

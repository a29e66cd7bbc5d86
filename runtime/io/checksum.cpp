#include "runtime/io/checksum.h"

#include <cstdio>

#include <xxhash.h>

namespace zp::rt {

void Checksum::Free::operator()(XXH64_state_s *state) const { XXH64_freeState(state); }

Checksum::Checksum() : state(XXH64_createState()) { XXH64_reset(state.get(), 0); }

void Checksum::add(const void *data, uint64_t bytes) { XXH64_update(state.get(), data, bytes); }

uint64_t Checksum::value() const { return XXH64_digest(state.get()); }

std::string hexOf(uint64_t checksum) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(checksum));
  return text;
}

} // namespace zp::rt

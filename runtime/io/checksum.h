// The checksum of a checkpoint's files: XXH64 of their bytes.
#ifndef ZP_RUNTIME_IO_CHECKSUM_H
#define ZP_RUNTIME_IO_CHECKSUM_H

#include <cstdint>
#include <memory>
#include <string>

struct XXH64_state_s;

namespace zp::rt {

class Checksum {
public:
  Checksum();

  void add(const void *data, uint64_t bytes);
  /// Of all that has been added, one behind the other.
  uint64_t value() const;

private:
  struct Free {
    void operator()(XXH64_state_s *state) const;
  };
  std::unique_ptr<XXH64_state_s, Free> state;
};

/// 16 digits of base 16, as JSON has a checksum.
std::string hexOf(uint64_t checksum);

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_CHECKSUM_H

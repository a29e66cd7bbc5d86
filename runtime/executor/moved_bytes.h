// What collectives move, known of their operands.
#ifndef ZP_RUNTIME_EXECUTOR_MOVED_BYTES_H
#define ZP_RUNTIME_EXECUTOR_MOVED_BYTES_H

#include <cstdint>

namespace zp::rt {

struct ResolvedInstruction;

struct MovedBytes {
  uint64_t gathered = 0; ///< that a rank got from others
  uint64_t reduced = 0;  ///< that others added up for it, or with it

  /// Nothing of an instruction that is no collective.
  void add(const ResolvedInstruction &instruction, uint64_t ranks);
};

} // namespace zp::rt

#endif // ZP_RUNTIME_EXECUTOR_MOVED_BYTES_H

// A range on the calling thread alone.
#ifndef ZP_RUNTIME_BASE_SERIAL_FOR_H
#define ZP_RUNTIME_BASE_SERIAL_FOR_H

#include "runtime/base/parallel_for.h"

namespace zp::rt {

class SerialFor final : public ParallelFor {
public:
  void run(int64_t count, int64_t, const Body &body) override {
    if (count > 0)
      body(0, count);
  }
  int threads() const override { return 1; }
};

} // namespace zp::rt

#endif // ZP_RUNTIME_BASE_SERIAL_FOR_H

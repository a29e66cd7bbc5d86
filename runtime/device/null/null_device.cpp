#include "runtime/device/device.h"

namespace zp::rt {
namespace {

class Serial : public ParallelFor {
public:
  void run(int64_t count, int64_t, const Body &body) override {
    if (count > 0)
      body(0, count);
  }
  int threads() const override { return 1; }
};

class NullDevice : public Device {
public:
  const char *name() const override { return "null"; }
  ParallelFor &parallel() override { return serial; }
  Status execute(const StepLists &, Launcher &) override { return {}; }

private:
  Serial serial;
};

} // namespace

std::unique_ptr<Device> createNullDevice() { return std::make_unique<NullDevice>(); }

} // namespace zp::rt

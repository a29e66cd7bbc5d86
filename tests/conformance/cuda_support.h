// Kernels of a device, called as those of the CPU are: operands go there and come back. With a real GPU or an emulated one, whichever
// the suite is linked with.
#ifndef ZP_TESTS_CONFORMANCE_CUDA_SUPPORT_H
#define ZP_TESTS_CONFORMANCE_CUDA_SUPPORT_H

#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "runtime/kernels/cuda/fused_attention.h"
#include "runtime/kernels/cuda/kernels.h"
#include "runtime/kernels/cuda/products.h"
#include "runtime/kernels/kernel.h"
#include "runtime/kernels/op_info.h"
#include "gtest/gtest.h"

namespace zp::rt::test {

/// The suite's one context. Attention is our own kernels' unless ZP_DEVICE_ATTENTION is fused.
const cuda::Context &deviceContext();

/// A status that isn't OK ends the test that asks, as an exception: the others still run.
void demand(const Status &status);

/// Copies of an op's operands on the device, with a margin on both sides of each; those that share memory share it there, and those that
/// begin between multiples of 16 bytes do so there.
template <typename Args> class DeviceOperands {
public:
  explicit DeviceOperands(const Args &host) : args(host) {
    for (TensorView &operand : operands()) {
      if (!operand)
        continue;
      Block &block = blocks[operand.data];
      if (!block.memory) {
        block.bytes = operand.bytes();
        block.begin = kMargin + reinterpret_cast<uintptr_t>(operand.data) % 16;
        block.before.assign(block.begin + block.bytes + kMargin, std::byte{0xa5});
        std::memcpy(block.before.data() + block.begin, operand.data, block.bytes);
        StatusOr<void *> memory = cuda::allocateDevice(block.before.size());
        demand(memory.status());
        block.memory.reset(static_cast<uint8_t *>(*memory));
        demand(cuda::copyAsync(block.memory.get(), block.before.data(), block.before.size(), deviceContext().stream));
      }
      operand.data = block.memory.get() + block.begin;
    }
    demand(cuda::synchronize(deviceContext().stream));
  }
  /// Back to where they came from.
  void fetch() {
    for (auto &[host, block] : blocks) {
      std::vector<std::byte> after(block.before.size());
      demand(cuda::copyAsync(after.data(), block.memory.get(), after.size(), deviceContext().stream));
      demand(cuda::synchronize(deviceContext().stream));
      for (uint64_t i = 0; i < kMargin; ++i)
        if (after[i] != std::byte{0xa5} || after[block.begin + block.bytes + i] != std::byte{0xa5}) {
          ADD_FAILURE() << "written outside an operand on the device";
          break;
        }
      std::memcpy(host, after.data() + block.begin, block.bytes);
    }
  }
  Args args;

private:
  static constexpr uint64_t kMargin = 256;
  struct Free {
    void operator()(uint8_t *memory) const { cuda::freeDevice(memory); }
  };
  struct Block {
    std::unique_ptr<uint8_t, Free> memory;
    uint64_t bytes = 0, begin = 0;
    std::vector<std::byte> before;
  };
  std::span<TensorView> operands() {
    std::span<const TensorView> views = operandsOf(args);
    return {const_cast<TensorView *>(views.data()), views.size()};
  }
  std::map<void *, Block> blocks;
};

namespace on_device {
template <typename Args> void run(const KernelContext &host, const Args &args) {
  DeviceOperands<Args> device(args);
  cuda::Context context = deviceContext();
  context.rank = host.rank;
  if constexpr (requires { context.fusedAttention->prepare(device.args); })
    if (context.fusedAttention)
      context.fusedAttention->prepare(device.args);
  demand(cuda::run(context, device.args));
  demand(cuda::launchError());
  device.fetch();
}
} // namespace on_device

} // namespace zp::rt::test

#endif // ZP_TESTS_CONFORMANCE_CUDA_SUPPORT_H

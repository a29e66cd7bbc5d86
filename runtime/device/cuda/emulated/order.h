// What an emulated device does first where a program leaves that open: streams, the warps of a block, the threads of a warp.
#ifndef ZP_RUNTIME_DEVICE_CUDA_EMULATED_ORDER_H
#define ZP_RUNTIME_DEVICE_CUDA_EMULATED_ORDER_H

#include <cstddef>
#include <random>
#include <string>

namespace zp::rt::cuda::emulated {

class Order {
public:
  /// As ZP_EMULATED_ORDER says: `lowest` or `highest` (always the first or the last), or the seed of a draw (1).
  Order();
  void use(const std::string &wanted);

  /// One of `count`, which are some.
  size_t pick(size_t count);

private:
  enum class Choice { Lowest, Highest, Drawn } choice = Choice::Drawn;
  std::mt19937 random;
};

/// The device's. Streams and warps draw from one row of numbers: one thread of a process uses the device.
Order &order();

} // namespace zp::rt::cuda::emulated

#endif // ZP_RUNTIME_DEVICE_CUDA_EMULATED_ORDER_H

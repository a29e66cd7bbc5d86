// Instructions of the loader on a plan for a GPU: the loader fills host memory, a piece after another, while the piece before is on its
// way to the device.
//
// Contract. Nothing is taken before the first `load`, and `close` gives it all back: two pieces of locked host memory, of what the
// largest instruction fills and at most kLoadingPiece each, and threads. Where no memory can be locked, pieces are of ordinary memory:
// slower, and right. What is asked of `stream` afterwards comes after the loaded bytes; the host returns before they have arrived.
#ifndef ZP_RUNTIME_EXECUTOR_CUDA_HOST_LOADER_H
#define ZP_RUNTIME_EXECUTOR_CUDA_HOST_LOADER_H

#include <array>
#include <memory>
#include <vector>

#include "runtime/collective/device/device_collectives.h"
#include "runtime/device/cpu/thread_pool.h"
#include "runtime/executor/executor.h"
#include "runtime/executor/resolve.h"

namespace zp::rt {

/// Long enough that a copy is worth its launch, short enough that locking it takes no time.
inline constexpr uint64_t kLoadingPiece = 64 << 20;

class HostLoader {
public:
  /// Of all entries of a plan. All outlive it, or its `close`.
  HostLoader(const fbs::Plan &plan, const ResolvedPlan &resolved, const ExecutorOptions &options, int threads, uint64_t piece = kLoadingPiece)
      : plan(plan), resolved(resolved), options(options), threads(threads), piece(piece) {}
  HostLoader(const HostLoader &) = delete;
  HostLoader &operator=(const HostLoader &) = delete;
  ~HostLoader() { close(); }

  /// A load_section, load_quantized or nest_scales.
  Status load(const ResolvedInstruction &instruction, cuda::Stream stream, DeviceCollectives &collectives);
  /// When the device has done all that it was asked for.
  void close();

private:
  /// A piece and how it gets to the device.
  struct Slot {
    std::byte *locked = nullptr;
    std::vector<std::byte> ordinary;
    cuda::Stream stream = nullptr;
    cuda::Event filled = nullptr; ///< its last copy

    std::byte *memory() { return locked ? locked : ordinary.data(); }
  };

  Status open();
  StatusOr<Slot *> freeSlot(DeviceCollectives &collectives);
  Status copy(Slot &slot, void *target, const void *source, uint64_t bytes);
  Status loadSection(uint32_t section, const TensorView &target, DeviceCollectives &collectives);
  Status loadQuantized(uint32_t section, const TensorView &records, const TensorView &scales, DeviceCollectives &collectives);
  Status nestScales(uint32_t section, const TensorView &scales, const TensorView &records, DeviceCollectives &collectives);

  const fbs::Plan &plan;
  const ResolvedPlan &resolved;
  const ExecutorOptions &options;
  const int threads;
  const uint64_t piece;
  std::array<Slot, 2> slots;
  size_t next = 0;
  cuda::Event asked = nullptr;      ///< what the instruction's stream was asked for before
  std::unique_ptr<ThreadPool> pool; ///< while it is open
};

} // namespace zp::rt

#endif // ZP_RUNTIME_EXECUTOR_CUDA_HOST_LOADER_H

// Carries out a loaded plan on one rank: resolves every kernel once, then walks an entry's list.
//
// Contract. `create` allocates everything (arenas of the plan's spaces, thread stacks, decoded arguments); `run` allocates
// nothing and takes no decision. One thread at a time calls an executor. After a failed `run` the state is undefined: only
// destruction is allowed.
#ifndef ZP_RUNTIME_EXECUTOR_EXECUTOR_H
#define ZP_RUNTIME_EXECUTOR_EXECUTOR_H

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/collective/communicator.h"
#include "runtime/device/device.h"
#include "runtime/executor/step_times.h"
#include "runtime/plan/plan_file.h"
#include "runtime/schema/tensor_part.h"

namespace zp::rt {

/// Fills this rank's slice of section `section` (an index into the plan's sections), or a part of it: checkpoint tensors, converted
/// to the section's dtype, or initial values. Called by `load_section`, on the thread that called `run`; `parallel` has more. Parts
/// come in order and make up the whole.
using SectionLoader = std::function<Status(uint32_t section, const TensorPart &target, ParallelFor &parallel)>;
/// The same for a section of 4-bit codes: whole records, and where `scales` has data the scales of their blocks, for which the
/// records then wait. Called by `load_quantized`.
using QuantizedLoader = std::function<Status(uint32_t section, const TensorPart &records, const TensorPart &scales, ParallelFor &parallel)>;
/// Completes this rank's records from all scales of the section. Called by `nest_scales`.
using ScaleNester = std::function<Status(uint32_t section, const TensorView &scales, const TensorPart &records, ParallelFor &parallel)>;

class Executor;
struct ExecutorOptions;
/// Makes executors of plans for a device that is no CPU (executor/cuda).
using ExecutorFactory = StatusOr<std::unique_ptr<Executor>> (*)(const PlanFile &plan, Communicator &communicator, ExecutorOptions options);

struct ExecutorOptions {
  int threads = 0;        ///< compute threads of this rank; 0: the cores divided by the ranks of this host
  bool shadow = false;    ///< every buffer in a guarded allocation of its own, poisoned outside its planned life
  bool reference = false; ///< kernels/*/reference.cpp instead of cpu.cpp
  /// What the ranks of one host have in memory is read there, and not moved (plan/read_in_place.h).
  bool readInPlace = true;
  /// Carries out the streams; by default worker threads, in shadow mode one thread in the list's order.
  std::function<std::unique_ptr<Device>(int threads, uint32_t streams, uint32_t events)> device;
  ExecutorFactory cuda = nullptr; ///< of plans for CUDA; without it they are refused
  /// Hears of an error of an executor whose destruction may wait for its device or for peers, before anything of it is destroyed; it
  /// may be called by a thread of the executor's and need not return. Without it, a host that is stuck in a call of a driver stays so.
  std::function<void(const Status &)> failed;
  uint32_t timedSteps = 0;   ///< of each stream, whose times are kept
  std::string diskDirectory; ///< for what the plan keeps on disk
  /// When given, instructions run one after another, in the list's order on the calling thread, and it hears what each took.
  std::function<void(uint32_t entry, uint32_t instruction, double seconds)> measure;
  SectionLoader loadSection;
  QuantizedLoader loadQuantized;
  ScaleNester nestScales;
};

/// What is known of a device only when a plan has been opened on it.
struct DeviceFacts {
  std::string attention;   ///< who computes it: a library with its version, "own: " and why, or both
  uint64_t takenBytes = 0; ///< of its memory, since it was selected: the plan's, and what libraries have taken
};

class Executor {
public:
  /// The plan must outlive the executor; the communicator too (its world is the plan's).
  /// Errors: WorldSize, HostMemory, DeviceMemory, PlanInvalid (a kernel refuses its operands).
  static StatusOr<std::unique_ptr<Executor>> create(const PlanFile &plan, Communicator &communicator, ExecutorOptions options);
  virtual ~Executor() = default;

  /// Runs entry `index` of the plan to its end. One that uses pooled shards begins when all ranks have come to it.
  virtual Status run(uint32_t entry) = 0;
  /// Memory behind a tensor of the plan, for writing inputs and reading outputs between runs. In shadow mode only
  /// persistent buffers and the inputs and outputs of entries have memory outside a run. No data for a tensor on disk.
  /// One that ranks gather from is read alone: peers may be reading it until all have come to the next entry that uses it.
  virtual TensorView view(uint32_t tensor) = 0;
  /// The same for state that may lie on disk: `view` is of memory, or of `storage`, into which the bytes have been read.
  virtual Status bring(uint32_t tensor, std::vector<std::byte> &storage, TensorView &view) {
    (void)storage;
    view = this->view(tensor);
    return {};
  }
  /// Back to where `bring` found it, what has been written to its view.
  virtual Status putBack(uint32_t tensor, const TensorView &view) {
    (void)tensor, (void)view;
    return {};
  }
  /// Bytes that gathers brought to this rank from the others, copied or to be read where they lie, and that reductions took from it to them,
  /// since creation: of n ranks, n-1 shards each (an all_reduce counts as the n-1 nths of its data).
  virtual uint64_t gatheredBytes() const = 0;
  virtual uint64_t reducedBytes() const = 0;
  /// Seconds by instruction kind since creation (index = opcode); for bench.
  virtual std::array<double, 256> secondsByOpcode() const = 0;
  /// When the last instructions ran, as many as the options ask for.
  virtual StepTimes &times() = 0;
  /// Of a GPU that the plan runs on.
  virtual std::optional<DeviceFacts> deviceFacts() const { return {}; }
  /// What the user should know of the memory and the libraries that could be had: lines, of which empty ones say nothing.
  virtual std::vector<std::string> notices() const { return {}; }
};

} // namespace zp::rt

#endif // ZP_RUNTIME_EXECUTOR_EXECUTOR_H

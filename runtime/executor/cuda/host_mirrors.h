// Locked memory of the host for what entries take and give: the trainer writes and reads there, streams carry it over.
#ifndef ZP_RUNTIME_EXECUTOR_CUDA_HOST_MIRRORS_H
#define ZP_RUNTIME_EXECUTOR_CUDA_HOST_MIRRORS_H

#include <map>
#include <span>
#include <vector>

#include "runtime/executor/cuda/cuda_memory.h"
#include "runtime/schema/tensor_view.h"

namespace zp::rt {

class HostMirrors {
public:
  /// One for each tensor that is an entry's input or output. `views`: all tensors, on the device. Errors: HostMemory.
  Status open(const fbs::Plan &plan, std::span<const TensorView> views, CudaMemory &memory);
  /// Null for a tensor that is neither.
  void *find(uint32_t tensor) const;

  Status carryInputs(uint32_t entry, cuda::Stream stream) const;
  Status carryOutputs(uint32_t entry, cuda::Stream stream) const;

private:
  struct Mirror {
    void *host = nullptr;
    TensorView device;
  };
  struct Entry {
    std::vector<Mirror> inputs, outputs;
  };
  std::map<uint32_t, void *> byTensor;
  std::vector<Entry> entries;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_EXECUTOR_CUDA_HOST_MIRRORS_H

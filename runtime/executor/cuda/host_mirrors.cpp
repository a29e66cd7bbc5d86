#include "runtime/executor/cuda/host_mirrors.h"

namespace zp::rt {

Status HostMirrors::open(const fbs::Plan &plan, std::span<const TensorView> views, CudaMemory &memory) {
  for (const fbs::Entry *entry : *plan.entries()) {
    Entry &mirrored = entries.emplace_back();
    auto collect = [&](const auto *named, std::vector<Mirror> &mirrors) -> Status {
      if (!named)
        return {};
      for (const auto *one : *named) {
        void *&host = byTensor[one->tensor()];
        if (!host) {
          ZP_ASSIGN_OR_RETURN(host, memory.pinned(views[one->tensor()].bytes()));
        }
        mirrors.push_back({host, views[one->tensor()]});
      }
      return {};
    };
    ZP_RETURN_IF_ERROR(collect(entry->inputs(), mirrored.inputs));
    ZP_RETURN_IF_ERROR(collect(entry->outputs(), mirrored.outputs));
  }
  return {};
}

void *HostMirrors::find(uint32_t tensor) const {
  auto found = byTensor.find(tensor);
  return found == byTensor.end() ? nullptr : found->second;
}

Status HostMirrors::carryInputs(uint32_t entry, cuda::Stream stream) const {
  for (const Mirror &input : entries[entry].inputs)
    ZP_RETURN_IF_ERROR(cuda::copyAsync(input.device.data, input.host, input.device.bytes(), stream));
  return {};
}

Status HostMirrors::carryOutputs(uint32_t entry, cuda::Stream stream) const {
  for (const Mirror &output : entries[entry].outputs)
    ZP_RETURN_IF_ERROR(cuda::copyAsync(output.host, output.device.data, output.device.bytes(), stream));
  return {};
}

} // namespace zp::rt

#include "runtime/executor/cuda/host_loader.h"

#include <vector>

#include "runtime/executor/cuda/await_stream.h"

namespace zp::rt {

Status loadThroughHost(const ResolvedInstruction &instruction, const ExecutorOptions &options, cuda::Stream stream, DeviceCollectives &collectives) {
  std::vector<TensorView> here = instruction.operands;
  std::vector<std::vector<std::byte>> storage(here.size());
  for (size_t i = 0; i < here.size(); ++i) {
    if (!here[i].data)
      continue;
    storage[i].resize(here[i].bytes());
    ZP_RETURN_IF_ERROR(cuda::copyAsync(storage[i].data(), here[i].data, storage[i].size(), stream));
    here[i].data = storage[i].data();
  }
  ZP_RETURN_IF_ERROR(awaitStream(stream, collectives));
  if (const auto *section = instruction.source->op_as_LoadSection())
    ZP_RETURN_IF_ERROR(options.loadSection(static_cast<uint32_t>(section->section()), here[0]));
  else if (const auto *quantized = instruction.source->op_as_LoadQuantized())
    ZP_RETURN_IF_ERROR(options.loadQuantized(static_cast<uint32_t>(quantized->section()), here[0], here[1]));
  else
    ZP_RETURN_IF_ERROR(options.nestScales(static_cast<uint32_t>(instruction.source->op_as_NestScales()->section()), here[0], here[1]));
  for (size_t i = 0; i < here.size(); ++i)
    if (here[i].data)
      ZP_RETURN_IF_ERROR(cuda::copyAsync(instruction.operands[i].data, here[i].data, here[i].bytes(), stream));
  return awaitStream(stream, collectives);
}

} // namespace zp::rt

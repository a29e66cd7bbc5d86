// What 4-bit codes and nested scales stand for, as a device keeps it: read once by every block that decodes.
#ifndef ZP_RUNTIME_KERNELS_CUDA_QUANT_TABLES_H
#define ZP_RUNTIME_KERNELS_CUDA_QUANT_TABLES_H

#include <algorithm>

#include "runtime/kernels/cuda/context.h"
#include "runtime/quant/block_format.h"
#include "runtime/quant/dynamic_map.h"

namespace zp::rt::cuda {

struct QuantTables {
  float values[kQuantTypeCount][kQuantCodes]; ///< by type and code
  float scales[256];
};

/// On the host, for as long as the process lives.
inline const QuantTables &quantTables() {
  static const QuantTables tables = [] {
    QuantTables made;
    for (int64_t type = 0; type < kQuantTypeCount; ++type)
      std::copy_n(tableOf(static_cast<QuantType>(type)).values.begin(), kQuantCodes, made.values[type]);
    std::copy_n(dynamicMap().begin(), 256, made.scales);
    return made;
  }();
  return tables;
}

/// Places them in `memory`, sizeof(QuantTables) bytes on the device, for whatever the context's stream is asked from now on.
inline Status placeQuantTables(Context &context, void *memory) {
  context.quantTables = static_cast<const QuantTables *>(memory);
  return copyAsync(memory, &quantTables(), sizeof(QuantTables), context.stream);
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_QUANT_TABLES_H

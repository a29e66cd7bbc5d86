// `zprun quantize`: a model's directory with the weights of its linears in 4 bits.
//
// Contract. What is written equals, file for file and bit for bit, what transformers 5.23 with bitsandbytes 0.50.2 (on
// a CPU, one thread) saves of the same weights: model.safetensors or shards with their index, config.json,
// generation_config.json. Every linear is quantised, in blocks of 64, but the head and those that schema/four_bit_modules.h
// names. Falcon's are too, as transformers 4 has it: 5.23 takes plain linears alone, which Falcon's aren't. One piece of a
// weight and its scales are in memory at a time. The files appear together, at the end.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_QUANTIZE_QUANTIZE_H
#define ZP_RUNTIME_TOOLS_ZPRUN_QUANTIZE_QUANTIZE_H

#include <cstdint>
#include <string>

#include "runtime/base/status.h"

namespace zp::rt {

struct QuantizeOptions {
  std::string model, output;
  std::string quantType = "nf4", storageDtype = "uint8", computeDtype = "float32";
  std::string dtype; ///< of what isn't quantised, and what weights are converted to first; empty: the model's own
  bool nested = false, quiet = false;
  uint64_t maxShardBytes = 50'000'000'000;
};

/// Errors: Usage, Config, FileMissing, Json, UnknownArchitecture, QuantFormat (quantised already), those of the tensors
/// (missing, shape, dtype, not finite), DiskWrite, DiskFull.
Status quantizeModel(const QuantizeOptions &options);

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_QUANTIZE_QUANTIZE_H

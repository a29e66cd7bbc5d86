// `zprun merge`: a model's directory with a LoRA adapter added to its weights.
//
// Contract. Each weight becomes what PEFT 0.21's merge_and_unload makes of it: W + scale·B·A, the product in fp32, rounded once
// to W's dtype (`safe`, and of an embedding always: the product is rounded to it first, as safe_merge does). A weight in 4 bits
// is dequantized to the dtype that it was quantized from, and stays in it: what PEFT gives after the model was dequantized;
// `zprun quantize` makes 4 bits of the result. `requantize`: the model stays in 4 bits, as PEFT's merge of one does
// (requantized_weight.h); what the adapter doesn't change is copied. Whole tensors of the adapter (modules_to_save, resized
// embeddings, biases) take the places of the base's; what else the base calls its embedding, and BART's bias of logits, follow
// the embedding. Where head and embedding are tied and the adapter changes one of them, the head becomes its own, so that the
// merged model computes what base and adapter did. A million elements of a weight and its two matrices are in memory at a time.
// The files appear together, at the end.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_MERGE_MERGE_H
#define ZP_RUNTIME_TOOLS_ZPRUN_MERGE_MERGE_H

#include <cstdint>
#include <string>

#include "runtime/base/status.h"

namespace zp::rt {

struct MergeOptions {
  std::string model, adapter, output;
  std::string dtype; ///< of every tensor of floats; empty: each its own
  bool safe = false, requantize = false, quiet = false;
  uint64_t maxShardBytes = 5'000'000'000;
};

/// Errors: Usage, those of reading the adapter (adapter_changes.h), FileMissing, Json, AdapterMismatch (of another base),
/// TensorShape, TensorDtype, QuantState, NonFinite, DiskWrite, DiskFull.
Status mergeAdapter(const MergeOptions &options);

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_MERGE_MERGE_H

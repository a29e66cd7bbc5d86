// `zprun resize`: a model's directory with more rows of embeddings, for tokens that its tokenizer gets.
//
// Contract. Embedding and head, by whatever names the family has them, get rows up to the next multiple; each new row is the mean
// of the old ones. BART's bias of logits, a number a token, gets zeros. (transformers'
// mean_resizing draws around that mean with a 1e-9th of the rows' covariance: the same to four digits, and another every time.)
// Every other byte of the weights is copied; config.json names the new vocabulary. The files appear together, at the end.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_RESIZE_RESIZE_H
#define ZP_RUNTIME_TOOLS_ZPRUN_RESIZE_RESIZE_H

#include <cstdint>
#include <string>

#include "runtime/base/status.h"

namespace zp::rt {

struct ResizeOptions {
  std::string model, output;
  std::string tokenizer;   ///< directory whose tokenizer goes with the new model; empty: the model's own
  uint64_t vocabulary = 0; ///< rows that are needed
  uint64_t multiple = 8;   ///< rows are a multiple of it, as the guide's script has it
  uint64_t maxShardBytes = 5'000'000'000;
  bool quiet = false;
};

/// Errors: Usage, Config (fewer rows than there are), FileMissing, Json, TensorMissing, TensorDtype, TensorShape, DiskWrite,
/// DiskFull.
Status resizeModel(const ResizeOptions &options);

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_RESIZE_RESIZE_H

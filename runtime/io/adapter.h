// An adapter that PEFT saved, as a place to start from.
#ifndef ZP_RUNTIME_IO_ADAPTER_H
#define ZP_RUNTIME_IO_ADAPTER_H

#include <set>
#include <string>

#include "runtime/io/model_weights.h"

namespace zp::rt {

/// Whether PEFT saved a tensor a second time, under a name that it doesn't read: biases and resized embeddings of modules that are saved whole.
bool isSavedTwice(const std::string &name);

/// DIR/adapter_model.safetensors. FileMissing says so where there are weights of another format, a program of Python's.
StatusOr<ModelWeights> openAdapterWeights(const std::string &directory);

/// Opens DIR/adapter_model.safetensors after holding DIR/adapter_config.json to the plan's `adapterConfig`: rank, alpha,
/// scaling, patterns, bias and saved modules must agree. `trained` are the plan's saved_as names: a tensor of the file that
/// is not among them means other targets. AdapterMismatch names the field or the tensor.
StatusOr<ModelWeights> openAdapter(const std::string &directory, const std::string &adapterConfig, const std::set<std::string> &trained);

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_ADAPTER_H

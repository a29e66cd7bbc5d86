// What loaders ask of a plan's parameters and of checkpoint tensors, in one place.
#ifndef ZP_RUNTIME_IO_PARAMETER_INFO_H
#define ZP_RUNTIME_IO_PARAMETER_INFO_H

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/io/model_weights.h"
#include "runtime/schema/dtypes.h"
#include "runtime/schema/plan_generated.h"
#include "runtime/schema/section_records.h"

namespace zp::rt {

/// Empty for an absent text.
std::string textOf(const flatbuffers::String *text);
std::vector<uint64_t> shapeOf(const fbs::Parameter &parameter);
/// Frozen matrices with a row a token: embedding, and head where it is its own. By name: other matrices may have as many rows.
std::vector<const fbs::Parameter *> frozenEmbeddings(const fbs::Plan &plan);
/// Under which name an adapter holds a parameter of the base whole (PEFT's saved embeddings).
std::string savedWholeAs(const fbs::Parameter &parameter);
/// TensorMissing where the checkpoint's head isn't its embedding, and the plan was made, by a config.json without its weights, for one that is.
Status checkHead(const fbs::Plan &plan, ModelWeights &checkpoint);
/// In order of place.
std::vector<const fbs::Parameter *> parametersInOrder(const fbs::Section &section);

/// Who expects something of a checkpoint, and what to do when it is otherwise: parts of error messages.
struct Expecting {
  const char *who, *fix;
};
inline constexpr Expecting kPlanExpects{"the plan", "name the directory that the plan was imported from, or import this one"};

/// Finds a tensor of floats of a shape, and its type. TensorShape, TensorDtype; QuantFormat when the checkpoint keeps
/// it quantised.
StatusOr<WeightTensor> findFloats(ModelWeights &from, const std::string &name, const std::vector<uint64_t> &shape, DType &dtype,
                                  const Expecting &expecting = kPlanExpects);

/// Whether a tensor's elements are f32, bf16 or f16, and which.
bool floatOf(SafetensorsDtype dtype, DType &out);

/// "FILE: tensor NAME: ", as errors begin.
std::string placeOf(const WeightTensor &tensor, const std::string &name);

/// Under which name the checkpoint keeps the tensor quantised ("nf4", "fp4", "int8"); empty when it doesn't.
std::string quantizedAs(const ModelWeights &from, const std::string &name);

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_PARAMETER_INFO_H

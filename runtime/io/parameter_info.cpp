#include "runtime/io/parameter_info.h"

#include <algorithm>

#include "runtime/io/token_weights.h"
#include "runtime/quant/quant_state_json.h"

namespace zp::rt {

std::string textOf(const flatbuffers::String *text) { return text ? text->str() : std::string(); }

std::vector<uint64_t> shapeOf(const fbs::Parameter &parameter) {
  std::vector<uint64_t> shape;
  if (parameter.shape())
    for (int64_t dim : *parameter.shape())
      shape.push_back(static_cast<uint64_t>(dim));
  return shape;
}

std::vector<const fbs::Parameter *> frozenEmbeddings(const fbs::Plan &plan) {
  std::vector<const fbs::Parameter *> found;
  for (const fbs::Section *section : *plan.sections())
    if (section->kind() == fbs::SectionKind::Frozen && section->parameters())
      for (const fbs::Parameter *parameter : *section->parameters())
        if (parameter->name() && isTokenWeight(parameter->name()->string_view()))
          found.push_back(parameter);
  return found;
}

std::string savedWholeAs(const fbs::Parameter &parameter) { return "base_model.model." + textOf(parameter.name()); }

Status checkHead(const fbs::Plan &plan, ModelWeights &checkpoint) {
  for (const fbs::Section *section : *plan.sections())
    if (section->parameters())
      for (const fbs::Parameter *parameter : *section->parameters())
        if (parameter->checkpoint() && parameter->checkpoint()->string_view() == kHeadWeight)
          return {};
  ZP_ASSIGN_OR_RETURN(bool differs, headDiffers(checkpoint));
  if (!differs)
    return {};
  return Status(ErrorCode::TensorMissing, checkpoint.place() + ": tensor " + kHeadWeight + " is not the embedding, expected it to be, as the plan " +
                                              "was made for by its config.json alone (tie_word_embeddings); import again with --model naming this "
                                              "directory, which has the weights");
}

std::vector<const fbs::Parameter *> parametersInOrder(const fbs::Section &section) {
  std::vector<const fbs::Parameter *> parameters;
  if (section.parameters())
    parameters.assign(section.parameters()->begin(), section.parameters()->end());
  std::sort(parameters.begin(), parameters.end(), [](auto *a, auto *b) { return a->offset() < b->offset(); });
  return parameters;
}

bool floatOf(SafetensorsDtype dtype, DType &out) {
  if (dtype == SafetensorsDtype::F32)
    out = DType::F32;
  else if (dtype == SafetensorsDtype::BF16)
    out = DType::BF16;
  else if (dtype == SafetensorsDtype::F16)
    out = DType::F16;
  else
    return false;
  return true;
}

std::string placeOf(const WeightTensor &tensor, const std::string &name) { return tensor.file->path() + ": tensor " + name + ": "; }

std::string quantizedAs(const ModelWeights &from, const std::string &name) {
  for (QuantType type : {QuantType::NF4, QuantType::FP4})
    if (from.contains(name + "." + quantStateSuffix(type)))
      return textOf(type);
  constexpr std::string_view weight = ".weight";
  bool int8 = name.ends_with(weight) && from.contains(name.substr(0, name.size() - weight.size()) + ".SCB");
  return int8 ? "int8" : "";
}

StatusOr<WeightTensor> findFloats(ModelWeights &from, const std::string &name, const std::vector<uint64_t> &shape, DType &dtype,
                                  const Expecting &expecting) {
  ZP_ASSIGN_OR_RETURN(WeightTensor tensor, from.find(name));
  const std::string place = placeOf(tensor, name), by = std::string(" by ") + expecting.who + "; " + expecting.fix;
  if (std::string type = quantizedAs(from, name); !type.empty())
    return Status(ErrorCode::QuantFormat, place + "is quantized to " + type + " already, expected floats" + by);
  if (tensor.info->shape != shape)
    return Status(ErrorCode::TensorShape, place + "shape is " + shapeText(tensor.info->shape) + ", expected " + shapeText(shape) + by);
  if (!floatOf(tensor.info->dtype, dtype))
    return Status(ErrorCode::TensorDtype, place + "dtype is " + textOf(tensor.info->dtype) + ", expected F32, BF16 or F16; convert the checkpoint");
  return tensor;
}

} // namespace zp::rt

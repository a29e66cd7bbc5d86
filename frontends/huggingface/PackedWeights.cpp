// The tensors of a linear in a checkpoint that bitsandbytes has quantised: which there are, and how large.
#include "frontends/huggingface/WeightIndex.h"

namespace zp::fe {

namespace {

constexpr uint64_t kBlock = 64, kGroup = 256; // what transformers makes

uint64_t ceilDivide(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

} // namespace

Status WeightIndex::checkPacked(const ModelSpec &spec, const ParameterSpec &weight, const CheckpointQuantization &packed) const {
  using Dtype = rt::SafetensorsDtype;
  using Shape = std::vector<uint64_t>;
  const std::string &name = weight.checkpoint;
  auto whereOf = [](const Entry &entry, const std::string &tensor) { return entry.file->path() + ": tensor " + tensor; };
  auto lookUp = [&](const std::string &tensor, const Entry *&into) {
    into = find(tensor);
    return into ? Status()
                : Status(ErrorCode::TensorMissing, place + ": tensor " + tensor + " is missing, expected it beside the 4-bit codes by " +
                                                       spec.configFile + "; fetch the weights again or correct quantization_config");
  };
  auto expect = [&](const std::string &tensor, Dtype dtype, const Shape &shape) {
    const Entry *entry = nullptr;
    ZP_RETURN_IF_ERROR(lookUp(tensor, entry));
    if (entry->info->dtype != dtype)
      return Status(ErrorCode::TensorDtype, whereOf(*entry, tensor) + " is " + rt::textOf(entry->info->dtype) + ", expected " + rt::textOf(dtype) +
                                                " by " + spec.configFile + "; correct bnb_4bit_use_double_quant or quantise the model again");
    if (entry->info->shape != shape)
      return Status(ErrorCode::TensorShape, whereOf(*entry, tensor) + " is " + rt::shapeText(entry->info->shape) + ", expected " +
                                                rt::shapeText(shape) + " for blocks of " + std::to_string(kBlock) +
                                                " weights; quantise the model again with transformers or zprun quantize");
    return Status();
  };

  const uint64_t count = uint64_t(weight.elements()), bytes = ceilDivide(count, 2);
  const Entry *codes = nullptr;
  ZP_RETURN_IF_ERROR(lookUp(name, codes));
  std::string where = whereOf(*codes, name);
  Dtype dtype = codes->info->dtype;
  bool isStorage = false;
#define ZP_QUANT_STORAGE(label, name) isStorage |= dtype == Dtype::label;
#include "runtime/schema/quant_storages.inc"
#undef ZP_QUANT_STORAGE
  uint64_t itemBytes = rt::bitsOf(dtype) / 8;
  if (!isStorage || !find(name + ".absmax"))
    return Status(ErrorCode::TensorDtype, where + " is " + rt::textOf(dtype) + (isStorage ? " without scales" : "") + ", expected 4-bit codes by " +
                                              spec.configFile + "; use the config.json that belongs to the weights");
  // Any dtype may label the codes; it is the bytes that count.
  if (Shape shape = {bytes / itemBytes, 1}; codes->info->shape != shape || bytes % itemBytes)
    return Status(ErrorCode::TensorShape, where + " is " + rt::shapeText(codes->info->shape) + " " + rt::textOf(dtype) + ", expected " +
                                              std::to_string(bytes) + " bytes of 4-bit codes, two of the " + std::to_string(count) +
                                              " weights each; use the config.json that belongs to the weights");

  const uint64_t blocks = ceilDivide(count, kBlock);
  ZP_RETURN_IF_ERROR(expect(name + ".absmax", packed.nested ? Dtype::U8 : Dtype::F32, {blocks}));
  ZP_RETURN_IF_ERROR(expect(name + ".quant_map", Dtype::F32, {16}));
  if (packed.nested) {
    ZP_RETURN_IF_ERROR(expect(name + ".nested_absmax", Dtype::F32, {ceilDivide(blocks, kGroup)}));
    ZP_RETURN_IF_ERROR(expect(name + ".nested_quant_map", Dtype::F32, {256}));
  } else if (const Entry *nested = find(name + ".nested_absmax")) {
    return Status(ErrorCode::QuantState, whereOf(*nested, name + ".nested_absmax") + " is there, expected none by " + spec.configFile +
                                             "; correct bnb_4bit_use_double_quant");
  }
  const std::string state = name + ".quant_state.bitsandbytes__", other = packed.quantType == "nf4" ? "fp4" : "nf4";
  if (const Entry *wrong = find(state + other))
    return Status(ErrorCode::QuantState, whereOf(*wrong, state + other) + " is there, expected " + packed.quantType + " by " + spec.configFile +
                                             "; correct bnb_4bit_quant_type");
  const Entry *text = nullptr;
  ZP_RETURN_IF_ERROR(lookUp(state + packed.quantType, text));
  if (text->info->dtype != Dtype::U8 || text->info->shape.size() != 1)
    return Status(ErrorCode::QuantState, whereOf(*text, state + packed.quantType) + " is " + rt::textOf(text->info->dtype) + " " +
                                             rt::shapeText(text->info->shape) + ", expected the bytes of a JSON text; fetch the weights again");
  return Status();
}

} // namespace zp::fe

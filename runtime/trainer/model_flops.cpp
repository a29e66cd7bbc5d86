#include "runtime/trainer/model_flops.h"

#include <string>

#include <nlohmann/json.hpp>

#include "runtime/schema/plan_generated.h"

namespace zp::rt {

/// Whether a linear multiplies the encoder's tokens: its own, and the keys and values that a decoder makes of them.
static bool readsSource(const std::string &name) {
  if (name.starts_with("encoder.") || name.starts_with("model.encoder."))
    return true;
  for (const char *part : {".encoder_attn.k_proj.", ".encoder_attn.v_proj.", ".EncDecAttention.k.", ".EncDecAttention.v."})
    if (name.find(part) != std::string::npos)
      return true;
  return false;
}

static bool isTable(const std::string &name) {
  for (const char *part : {"embed", "shared.weight", "relative_attention_bias"})
    if (name.find(part) != std::string::npos)
      return true;
  return false;
}

StatusOr<double> flopsPerToken(const fbs::Plan &plan, uint32_t rowLength, uint32_t sourceLength) {
  nlohmann::json config = nlohmann::json::parse(plan.model_config() ? plan.model_config()->str() : "", nullptr, false);
  // Families call the same sizes by different names; the first that is there counts.
  auto number = [&](std::initializer_list<const char *> keys, double absent) {
    for (const char *key : keys)
      if (auto it = config.find(key); it != config.end() && it->is_number())
        return it->get<double>();
    return absent;
  };
  const double hidden = config.is_object() ? number({"n_embed", "hidden_size", "d_model"}, 0) : 0;
  if (hidden <= 0)
    return Status(ErrorCode::PlanInvalid, "plan: model_config: has no hidden_size, expected the config.json of a model; compile it again");
  const double heads = number({"num_attention_heads", "n_head", "num_heads", "decoder_attention_heads"}, 0);
  const double width = heads * number({"head_dim", "d_kv"}, heads > 0 ? hidden / heads : 0);
  const double encoderLayers = number({"encoder_layers", "num_layers"}, 0);
  const double layers = number({"decoder_layers", "num_decoder_layers", "num_layers", "num_hidden_layers", "n_layer"}, 0);
  const double vocabulary = plan.vocab_size(), source = sourceLength, perToken = source / rowLength;
  // A token that sees its past alone sees half as many as one that sees the whole row.
  double flops = 7 * rowLength * width * layers;
  if (sourceLength)
    flops += 14 * source * width * (layers + perToken * encoderLayers);
  bool headTrained = false;
  for (const fbs::Section *section : *plan.sections()) {
    const bool trained = section->kind() == fbs::SectionKind::Trainable;
    for (const fbs::Parameter *parameter : *section->parameters()) {
      std::string name = parameter->name()->str();
      if (name.find("lm_head") != std::string::npos) {
        headTrained |= trained;
        continue;
      }
      if (parameter->shape()->size() != 2 || isTable(name))
        continue;
      // Codes have the shape of the linear that they stand for.
      double product = (trained ? 6.0 : 4.0) * static_cast<double>(parameter->shape()->Get(0)) * static_cast<double>(parameter->shape()->Get(1));
      flops += sourceLength && readsSource(name) ? perToken * product : product;
    }
  }
  return flops + (headTrained ? 6 : 4) * vocabulary * hidden;
}

} // namespace zp::rt

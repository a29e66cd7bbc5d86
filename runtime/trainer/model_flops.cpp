#include "runtime/trainer/model_flops.h"

#include <string>

#include <nlohmann/json.hpp>

#include "runtime/schema/plan_generated.h"

namespace zp::rt {

StatusOr<double> flopsPerToken(const fbs::Plan &plan, uint32_t rowLength) {
  nlohmann::json config = nlohmann::json::parse(plan.model_config() ? plan.model_config()->str() : "", nullptr, false);
  // Families call the same sizes by different names; the first that is there counts.
  auto number = [&](std::initializer_list<const char *> keys, double absent) {
    for (const char *key : keys)
      if (auto it = config.find(key); it != config.end() && it->is_number())
        return it->get<double>();
    return absent;
  };
  if (config.is_discarded() || !config.is_object() || number({"n_embed", "hidden_size"}, 0) <= 0)
    return Status(ErrorCode::PlanInvalid, "plan: model_config: has no hidden_size, expected the config.json of a model; compile it again");
  const double hidden = number({"n_embed", "hidden_size"}, 0), heads = number({"num_attention_heads", "n_head"}, 0),
               layers = number({"num_hidden_layers", "n_layer"}, 0);
  const double vocabulary = plan.vocab_size();
  double flops = 7 * rowLength * number({"head_dim"}, heads > 0 ? hidden / heads : 0) * heads * layers;
  bool headTrained = false;
  for (const fbs::Section *section : *plan.sections()) {
    const bool trained = section->kind() == fbs::SectionKind::Trainable;
    for (const fbs::Parameter *parameter : *section->parameters()) {
      std::string name = parameter->name()->str();
      if (name.find("lm_head") != std::string::npos) {
        headTrained |= trained;
        continue;
      }
      if (parameter->shape()->size() != 2 || name.find("embed") != std::string::npos)
        continue;
      // Codes have the shape of the linear that they stand for.
      flops += (trained ? 6.0 : 4.0) * static_cast<double>(parameter->shape()->Get(0)) * static_cast<double>(parameter->shape()->Get(1));
    }
  }
  return flops + (headTrained ? 6 : 4) * vocabulary * hidden;
}

} // namespace zp::rt

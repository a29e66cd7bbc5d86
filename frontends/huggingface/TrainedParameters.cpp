#include "frontends/huggingface/TrainedParameters.h"

#include <algorithm>
#include <cstdio>
#include <regex>
#include <set>

#include "runtime/base/names.h"

namespace zp::fe {

bool isDecayed(const std::string &name) {
  static const std::regex exempt("bias|layernorm|rmsnorm|(?:^|\\.)norm(?:$|\\.)|_norm(?:$|\\.)");
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return char(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  return !std::regex_search(lower, exempt);
}

static void train(const ModuleSpec &module, ParameterSpec &parameter, std::string savedAs) {
  parameter.trained = true;
  parameter.decayed = module.kind != ModuleKind::LayerNorm && isDecayed(parameter.name);
  parameter.savedAs = std::move(savedAs);
}

template <typename F> static void forEachParameter(ModelSpec &spec, F &&visit) {
  for (ModuleSpec &module : spec.modules)
    for (std::optional<ParameterSpec> *slot : {&module.weight, &module.bias})
      if (*slot)
        visit(module, **slot);
}

/// Of distinct tensors. PEFT counts two weights for each byte of 4-bit codes: an odd number is one more.
static int64_t countElements(ModelSpec &spec, bool trainedOnly) {
  std::set<std::string> seen;
  int64_t count = 0;
  forEachParameter(spec, [&](ModuleSpec &module, ParameterSpec &parameter) {
    if (trainedOnly && !parameter.trained)
      return;
    if (!seen.insert(parameter.name).second)
      return;
    bool packed = module.fourBit && &parameter == &*module.weight;
    count += parameter.elements() + (packed ? parameter.elements() % 2 : 0);
  });
  return count;
}

ParameterCounts trainEverything(ModelSpec &spec) {
  forEachParameter(spec, [](ModuleSpec &module, ParameterSpec &parameter) { train(module, parameter, parameter.name); });
  return {countElements(spec, true), countElements(spec, false)};
}

void decayEverything(ModelSpec &spec) {
  forEachParameter(spec, [](ModuleSpec &, ParameterSpec &parameter) { parameter.decayed = parameter.trained; });
}

ParameterCounts trainNothing(ModelSpec &spec) { return {0, countElements(spec, false)}; }

static void trainBiases(ModelSpec &spec, const std::string &which) {
  for (ModuleSpec &module : spec.modules) {
    if (!module.bias || which == "none" || (which == "lora_only" && !module.adapter))
      continue;
    // PEFT wraps an adapted linear, which moves its own tensors one level down.
    train(module, *module.bias, kSavedPrefix + module.path + (module.adapter ? ".base_layer.bias" : ".bias"));
  }
}

/// The two modules of a tied model no longer share: the head gets a parameter of its own, first
/// read from the same tensor.
static void breakTie(ModelSpec &spec) {
  for (ModuleSpec &module : spec.modules)
    if (module.role == Role::Head)
      module.weight->name = module.path + ".weight";
  spec.tiedHead = false;
}

static StatusOr<int64_t> trainWholeModules(ModelSpec &spec, const LoraSettings &lora) {
  if (!lora.modulesToSave)
    return int64_t(0);
  std::set<std::string> wrapped;
  for (const std::string &name : *lora.modulesToSave) {
    bool found = false;
    std::vector<std::string> known;
    for (const ModuleSpec &module : spec.modules) {
      known.push_back(module.path.substr(module.path.rfind('.') + 1));
      if (!module.path.ends_with(name)) // PEFT's rule, with or without a dot before
        continue;
      found = true;
      wrapped.insert(module.path);
    }
    if (!found) {
      std::vector<std::string> nearest = nearestNames(name, known);
      return Status(ErrorCode::UnknownTarget, lora.placeOf("modules_to_save") + ": '" + name + "' is no module of " + spec.architecture +
                                                  ", expected the end of a module's name; try " +
                                                  (nearest.empty() ? "lm_head or embed_tokens" : nearest[0]));
    }
  }
  auto inside = [&](const std::string &path) {
    return std::any_of(wrapped.begin(), wrapped.end(), [&](const std::string &outer) { return path == outer || path.starts_with(outer + "."); });
  };
  for (const ModuleSpec &module : spec.modules)
    if (spec.structure == Structure::EncoderDecoder && inside(module.path) && (module.role == Role::Embedding || module.role == Role::EmbeddingAlias))
      return Status(ErrorCode::Config, lora.placeOf("modules_to_save") + ": holds " + module.path +
                                           ", which encoder and decoder share, expected modules that are read once; leave it out or "
                                           "train with --use_peft_lora false");
  if (spec.tiedHead)
    for (const ModuleSpec &module : spec.modules)
      if ((module.role == Role::Head || module.role == Role::Embedding) && inside(module.path)) {
        breakTie(spec);
        break;
      }
  int64_t copied = 0;
  for (ModuleSpec &module : spec.modules) {
    if (!inside(module.path))
      continue;
    if (module.adapter)
      return Status(ErrorCode::Config, lora.placeOf("modules_to_save") + ": holds " + module.path +
                                           ", which is adapted too, expected one of the two; exclude it from one");
    for (std::optional<ParameterSpec> *slot : {&module.weight, &module.bias})
      if (*slot) {
        bool isBias = slot == &module.bias;
        train(module, **slot, kSavedPrefix + module.path + (isBias ? ".bias" : ".weight"));
        copied += (*slot)->elements();
      }
  }
  return copied;
}

StatusOr<ParameterCounts> trainAdapters(ModelSpec &spec, const LoraSettings &lora) {
  int64_t all = countElements(spec, false);
  trainBiases(spec, lora.bias);
  ZP_ASSIGN_OR_RETURN(int64_t copied, trainWholeModules(spec, lora));
  ParameterCounts counts{countElements(spec, true), all + copied};
  for (const ModuleSpec &module : spec.modules)
    if (module.adapter) {
      int64_t elements = module.adapter->rank * (module.weight->shape[0] + module.weight->shape[1]);
      counts.trained += elements;
      counts.all += elements;
    }
  return counts;
}

static std::string grouped(int64_t value) {
  std::string digits = std::to_string(value);
  for (size_t at = digits.size(); at > 3; at -= 3)
    digits.insert(at - 3, ",");
  return digits;
}

std::string summarise(const ParameterCounts &counts) {
  char share[32];
  std::snprintf(share, sizeof share, "%.4f", 100.0 * double(counts.trained) / double(std::max<int64_t>(counts.all, 1)));
  return "trainable params: " + grouped(counts.trained) + " || all params: " + grouped(counts.all) + " || trainable%: " + share;
}

} // namespace zp::fe

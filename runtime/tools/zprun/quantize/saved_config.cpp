#include "runtime/tools/zprun/quantize/saved_config.h"

#include <iterator>
#include <set>
#include <sstream>

namespace zp::rt {

using nlohmann::json;

namespace {

constexpr const char *kVersion = "5.23.0"; // of the reference

/// Fields of every configuration: written only where they differ from these.
const json &commonFields() {
  static const json fields = json::parse(R"({
    "chunk_size_feed_forward": 0, "id2label": {"0": "LABEL_0", "1": "LABEL_1"}, "is_encoder_decoder": false,
    "label2id": {"LABEL_0": 0, "LABEL_1": 1}, "output_attentions": false, "output_hidden_states": false, "problem_type": null,
    "return_dict": true})");
  return fields;
}

std::set<std::string> wordsOf(const char *text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

/// Keys that end at reading: moved elsewhere, set anew, or not kept. Those of the second paragraph are for generation, which
/// has its own file.
const std::set<std::string> &droppedKeys() {
  static const std::set<std::string> keys = wordsOf(R"(
    architectures dtype model_type torch_dtype transformers_version quantization_config num_labels rope_scaling
    name_or_path _name_or_path _commit_hash _is_quantized _auto_class transformers_weights
    attn_implementation experts_implementation _attn_implementation _experts_implementation
    _attn_implementation_internal _experts_implementation_internal
    _post_init_done ignore_keys_at_rope_validation base_model_tp_plan base_model_pp_plan base_model_fsdp_plan
    distributed_config

    max_length min_length do_sample early_stopping num_beams temperature top_k top_p typical_p
    repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size bad_words_ids
    num_return_sequences output_scores return_dict_in_generate forced_bos_token_id forced_eos_token_id
    remove_invalid_values exponential_decay_length_penalty suppress_tokens begin_suppress_tokens epsilon_cutoff
    eta_cutoff encoder_repetition_penalty num_assistant_tokens num_assistant_tokens_schedule
    assistant_confidence_threshold assistant_lookbehind target_lookbehind num_beam_groups diversity_penalty)");
  return keys;
}

/// The fields of a generation configuration; all are null unless set.
const std::set<std::string> &generationFields() {
  static const std::set<std::string> keys = wordsOf(R"(
    max_length max_new_tokens min_length min_new_tokens early_stopping max_time stop_strings do_sample num_beams
    use_mtp use_cache cache_implementation cache_config max_cache_len temperature top_k top_p min_p top_h
    typical_p epsilon_cutoff eta_cutoff repetition_penalty encoder_repetition_penalty length_penalty
    no_repeat_ngram_size bad_words_ids renormalize_logits forced_bos_token_id forced_eos_token_id
    remove_invalid_values exponential_decay_length_penalty suppress_tokens begin_suppress_tokens sequence_bias
    token_healing guidance_scale watermarking_config num_return_sequences output_attentions output_hidden_states
    output_scores output_logits return_dict_in_generate pad_token_id bos_token_id eos_token_id
    encoder_no_repeat_ngram_size decoder_start_token_id is_assistant num_assistant_tokens
    num_assistant_tokens_schedule assistant_confidence_threshold prompt_lookup_num_tokens
    max_matching_ngram_size assistant_early_exit assistant_lookbehind target_lookbehind
    assistant_ensemble_weight speculation_type disable_compile continuous_batching_config low_memory
    penalty_alpha dola_layers diversity_penalty num_beam_groups constraints force_words_ids prefill_chunk_size)");
  return keys;
}

bool isLabelMap(const std::string &key) { return key == "id2label" || key == "label2id"; }

void setDefault(json &object, const char *key, const json &value) {
  if (!object.contains(key))
    object[key] = value;
}
bool isTrue(const json &object, const char *key) { return object.contains(key) && object[key].is_boolean() && object[key].get<bool>(); }

/// rope_theta and rope_scaling of older files become rope_parameters.
Status moveRope(const json &given, json &config, const std::string &path) {
  json rope = json::object();
  for (const char *key : {"rope_parameters", "rope_scaling"}) // the older one, where it says something, wins
    if (given.contains(key) && !given[key].empty())
      rope = given[key];
  bool flat = rope.is_object();
  for (const json &value : rope)
    flat &= !value.is_object();
  if (!flat)
    return Status(ErrorCode::Config, path + ": rope_parameters: is not one flat object, expected one for all layers; use another model");
  setDefault(rope, "rope_theta", given.value("rope_theta", json(10000.0)));
  if (given.contains("partial_rotary_factor") && !given["partial_rotary_factor"].is_null())
    setDefault(rope, "partial_rotary_factor", given["partial_rotary_factor"]);
  setDefault(rope, "rope_type", rope.value("type", json("default")));
  if (rope["rope_type"] == "llama3" || rope["rope_type"] == "yarn" || rope["rope_type"] == "longrope") {
    if (config.contains("original_max_position_embeddings"))
      rope["original_max_position_embeddings"] = config["original_max_position_embeddings"];
    else
      setDefault(rope, "original_max_position_embeddings", config["max_position_embeddings"]);
  }
  config["rope_parameters"] = rope;
  return {};
}

} // namespace

StatusOr<json> savedConfig(const json &given, const ModelFamily &family, const std::string &path) {
  if (given.contains("per_layer_config"))
    return Status(ErrorCode::Config, path + ": per_layer_config: is given, expected one configuration for all layers; use another model");
  json config = json::parse(family.fields);
  const json aliases = json::parse(family.aliases);
  const bool rotates = config.contains("rope_parameters");
  for (const auto &[key, value] : given.items()) {
    if (rotates && (key == "rope_theta" || key == "partial_rotary_factor"))
      continue; // they go into rope_parameters
    const bool common = commonFields().contains(key) && (commonFields()[key] == value || value.is_null());
    if (common && isLabelMap(key)) { // the class's own, of another number of labels, where the file says nothing
      if (!value.is_null())
        config.erase(key);
    } else if (!aliases.contains(key) && (config.contains(key) || (!common && !droppedKeys().contains(key)))) {
      config[key] = value;
    }
  }
  family.derive(given, config);
  for (const auto &[alias, field] : aliases.items())
    if (given.contains(alias) && !given[alias].is_null())
      config[field.get<std::string>()] = given[alias];
  if (rotates)
    ZP_RETURN_IF_ERROR(moveRope(given, config, path));
  config["architectures"] = {family.architecture};
  config["model_type"] = family.modelType;
  config["transformers_version"] = kVersion;
  return config;
}

json savedGenerationConfig(const json &given) {
  json config = json::object();
  const bool ofModel = isTrue(given, "_from_model_config"); // then nothing but its fields is kept
  for (const auto &[key, value] : given.items())
    if (generationFields().contains(key) || key == "_from_model_config" ? !value.is_null()
                                                                        : !ofModel && key != "_commit_hash" && key != "compile_config")
      config[key] = value;
  config["transformers_version"] = kVersion;
  return config;
}

json generationConfigOfModel(const json &given) {
  json model = given;
  model["_from_model_config"] = true;
  json config = savedGenerationConfig(model);
  for (const char *output : {"output_attentions", "output_hidden_states", "output_scores", "output_logits"})
    if (isTrue(config, output))
      config["return_dict_in_generate"] = true;
  return config;
}

} // namespace zp::rt

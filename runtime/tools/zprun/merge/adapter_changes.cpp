#include "runtime/tools/zprun/merge/adapter_changes.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "runtime/base/name_pattern.h"
#include "runtime/base/names.h"
#include "runtime/io/adapter.h"
#include "runtime/io/convert_elements.h"
#include "runtime/io/token_weights.h"
#include "runtime/tools/zprun/model_files.h"

namespace zp::rt {

using nlohmann::ordered_json;

namespace {

constexpr std::string_view kPrefix = "base_model.model.";

/// Keys of adapter_config.json that ask for something else than W + scale·B·A while they differ from this.
const ordered_json &plainLora() {
  static const ordered_json keys = ordered_json::parse(R"({
    "use_dora": false, "lora_bias": false, "layer_replication": null, "trainable_token_indices": null, "target_parameters": null,
    "use_qalora": false, "use_bdlora": null, "alora_invocation_tokens": null, "arrow_config": null, "velora_config": null,
    "kasa_config": null, "monteclora_config": null})");
  return keys;
}

/// Values of init_lora_weights with which PEFT, when it loads the adapter, takes out of the base's weights what the fresh adapter was given:
/// B·A is then added to other weights than the base's. An adapter that was saved with path_initial_model_for_weight_conversion is plain.
constexpr const char *kChangesTheBase[] = {"pissa", "olora", "loftq", "corda", "lora_ga"};

/// Models whose layers have Conv1D for linears: weights [inputs, outputs].
constexpr std::string_view kTransposing[] = {"gpt2", "openai-gpt", "imagegpt", "decision_transformer", "clvp"};

struct LoraTensors {
  std::string a, b; // names in the adapter's file
  bool embedding = false;
};

/// Splits NAME = STEM + suffix.
std::optional<std::string> stemOf(const std::string &name, std::string_view suffix) {
  if (!name.ends_with(suffix))
    return {};
  return name.substr(0, name.size() - suffix.size());
}

class Reader {
public:
  Reader(const std::string &directory, std::string_view modelType)
      : directory(directory), configPath(directory + "/adapter_config.json"),
        transposing(std::find(std::begin(kTransposing), std::end(kTransposing), modelType) != std::end(kTransposing)) {}

  StatusOr<AdapterChanges> read() {
    ZP_RETURN_IF_ERROR(readConfig());
    ZP_ASSIGN_OR_RETURN(changes.weights, openAdapterWeights(directory));
    changes.place = changes.weights.place();
    for (const std::string &name : changes.weights.names())
      ZP_RETURN_IF_ERROR(sort(name));
    for (const auto &[module, pair] : pairs)
      ZP_RETURN_IF_ERROR(addPair(module, pair));
    if (changes.added.empty() && changes.replaced.empty())
      return Status(ErrorCode::AdapterMismatch, changes.place + ": holds no tensors, expected an adapter's weights; save it again");
    return std::move(changes);
  }

private:
  Status readConfig() {
    ZP_ASSIGN_OR_RETURN(config, readObject<ordered_json>(configPath));
    if (config.value("peft_type", ordered_json()) != "LORA")
      return Status(ErrorCode::AdapterMismatch, configPath + ": peft_type: is " + config.value("peft_type", ordered_json()).dump() +
                                                    ", expected \"LORA\"; merge other adapters with PEFT");
    for (const auto &[key, plain] : plainLora().items())
      if (config.contains(key) && !config[key].is_null() && config[key] != plain)
        return Status(ErrorCode::AdapterMismatch, configPath + ": " + key + ": is " + config[key].dump() + ", expected " + plain.dump() +
                                                      ", as zprun merges plain LoRA; merge this one with PEFT");
    const ordered_json initial = config.value("init_lora_weights", ordered_json());
    for (const char *name : kChangesTheBase)
      if (initial.is_string() && lowered(initial.get<std::string>()).starts_with(name))
        return Status(ErrorCode::AdapterMismatch, configPath + ": init_lora_weights: is " + initial.dump() +
                                                      ", which changes the base's weights, expected true, false or gaussian; merge this one "
                                                      "with PEFT, or save it with path_initial_model_for_weight_conversion");
    return {};
  }

  /// Where a tensor of the adapter belongs.
  Status sort(const std::string &name) {
    if (isSavedTwice(name))
      return {};
    if (!name.starts_with(kPrefix))
      return strange(name, "a name that begins with base_model.model.");
    const std::string own = name.substr(kPrefix.size());
    struct Part {
      const char *suffix;
      bool second, embedding;
    };
    constexpr Part parts[] = {
        {".lora_A.weight", false, false}, {".lora_B.weight", true, false}, {".lora_embedding_A", false, true}, {".lora_embedding_B", true, true}};
    for (const Part &part : parts)
      if (std::optional<std::string> module = stemOf(own, part.suffix)) {
        LoraTensors &pair = pairs[*module];
        (part.second ? pair.b : pair.a) = name;
        pair.embedding = part.embedding;
        return {};
      }
    if (own.find(".lora_") != std::string::npos || own.find("token_adapter") != std::string::npos)
      return strange(name, "LoRA's A and B or whole tensors");
    // A module that LoRA has wrapped names what was its own base_layer.
    std::string target = own;
    constexpr std::string_view wrapped = ".base_layer.";
    if (size_t at = target.find(wrapped); at != std::string::npos)
      target.replace(at, wrapped.size(), ".");
    changes.replaced[target] = name;
    return {};
  }

  Status strange(const std::string &name, const std::string &expected) const {
    return Status(ErrorCode::AdapterMismatch,
                  changes.place + ": tensor " + name + ": is not known, expected " + expected + "; merge this adapter with PEFT");
  }

  /// Rows and columns of a matrix of floats.
  Status sizesOf(const std::string &name, uint64_t &rows, uint64_t &columns) {
    ZP_ASSIGN_OR_RETURN(WeightTensor tensor, changes.weights.find(name));
    if (tensor.info->shape.size() != 2)
      return Status(ErrorCode::TensorShape,
                    placeOf(tensor, name) + "shape is " + shapeText(tensor.info->shape) + ", expected two dimensions; save the adapter again");
    DType dtype;
    if (!floatOf(tensor.info->dtype, dtype))
      return Status(ErrorCode::TensorDtype,
                    placeOf(tensor, name) + "dtype is " + textOf(tensor.info->dtype) + ", expected F32, BF16 or F16; save the adapter again");
    rows = tensor.info->shape[0];
    columns = tensor.info->shape[1];
    return {};
  }

  Status addPair(const std::string &module, const LoraTensors &pair) {
    if (pair.a.empty() || pair.b.empty())
      return Status(ErrorCode::AdapterMismatch, changes.place + ": tensor " + (pair.a.empty() ? pair.b : pair.a) + ": has no lora_" +
                                                    (pair.a.empty() ? "A" : "B") + " beside it, expected both; save the adapter again");
    uint64_t rank, inputs, outputs, rankOfB;
    ZP_RETURN_IF_ERROR(sizesOf(pair.a, rank, inputs));
    ZP_RETURN_IF_ERROR(sizesOf(pair.b, outputs, rankOfB));
    ZP_ASSIGN_OR_RETURN(double configured, numberFor("rank_pattern", "r", module));
    if (rank != rankOfB || static_cast<double>(rank) != configured)
      return Status(ErrorCode::AdapterMismatch, changes.place + ": tensor " + pair.b + ": has rank " + std::to_string(rankOfB) + " and its A " +
                                                    std::to_string(rank) + ", expected " + std::to_string(static_cast<int64_t>(configured)) + " by " +
                                                    configPath + "; save the adapter again");
    ZP_ASSIGN_OR_RETURN(double alpha, numberFor("alpha_pattern", "lora_alpha", module));
    LowRankChange change;
    const bool rootOfRank = isOn("use_rslora");
    change.embedding = pair.embedding;
    change.transposed = pair.embedding || (transposing && module + ".weight" != kHeadWeight);
    change.a = pair.a;
    change.b = pair.b;
    change.rank = rank;
    change.rows = change.transposed ? inputs : outputs;
    change.columns = change.transposed ? outputs : inputs;
    change.scale = static_cast<float>(alpha / (rootOfRank ? std::sqrt(configured) : configured));
    changes.added[module + ".weight"] = std::move(change);
    return {};
  }

  bool isOn(const char *key) const { return config.value(key, ordered_json(false)) == true; }

  /// The number of a module: that of the first pattern, in the file's order, that its name ends with, or else the common one.
  StatusOr<double> numberFor(const char *patterns, const char *common, const std::string &module) {
    const ordered_json byPattern = config.value(patterns, ordered_json());
    for (const auto &[pattern, value] : byPattern.items()) {
      ZP_ASSIGN_OR_RETURN(NamePattern compiled, NamePattern::compile(configPath + ": " + patterns, "(?:.*\\.)?(?:" + pattern + ")"));
      if (value.is_number() && compiled.matchesWhole(module))
        return value.get<double>();
    }
    const ordered_json value = config.value(common, ordered_json(8)); // PEFT's default of both
    if (!value.is_number() || !(value.get<double>() > 0))
      return Status(ErrorCode::Config, configPath + ": " + common + ": is " + value.dump() + ", expected a positive number; save the adapter again");
    return value.get<double>();
  }

  std::string directory, configPath;
  bool transposing;
  ordered_json config;
  std::map<std::string, LoraTensors> pairs; // by module
  AdapterChanges changes;
};

} // namespace

static StatusOr<std::vector<float>> loadMatrix(ModelWeights &weights, const std::string &name, bool transposed) {
  ZP_ASSIGN_OR_RETURN(WeightTensor tensor, weights.find(name));
  DType dtype = DType::F32;
  floatOf(tensor.info->dtype, dtype); // was seen to be floats
  const uint64_t rows = tensor.info->shape[0], columns = tensor.info->shape[1];
  std::vector<float> values(rows * columns);
  convertElements(tensor.data(), dtype, values.data(), DType::F32, values.size());
  tensor.file->release(*tensor.info, 0, tensor.info->bytes);
  if (!transposed)
    return values;
  std::vector<float> out(values.size());
  for (uint64_t r = 0; r < rows; ++r)
    for (uint64_t c = 0; c < columns; ++c)
      out[c * rows + r] = values[r * columns + c];
  return out;
}

StatusOr<LowRankProduct> LowRankProduct::load(ModelWeights &weights, const LowRankChange &change) {
  LowRankProduct product;
  // (B·A)ᵀ = Aᵀ·Bᵀ
  ZP_ASSIGN_OR_RETURN(product.left, loadMatrix(weights, change.transposed ? change.a : change.b, change.transposed));
  ZP_ASSIGN_OR_RETURN(product.right, loadMatrix(weights, change.transposed ? change.b : change.a, change.transposed));
  product.rank = change.rank;
  product.columns = change.columns;
  product.scale = change.scale;
  return product;
}

void LowRankProduct::compute(uint64_t first, uint64_t count, float *out) const {
  std::fill_n(out, count, 0.0f);
  for (uint64_t done = 0; done < count;) {
    const uint64_t row = (first + done) / columns, column = (first + done) % columns, n = std::min(count - done, columns - column);
    float *part = out + done;
    for (uint64_t k = 0; k < rank; ++k) {
      const float factor = left[row * rank + k];
      const float *source = right.data() + k * columns + column;
      for (uint64_t i = 0; i < n; ++i)
        part[i] += factor * source[i];
    }
    for (uint64_t i = 0; i < n; ++i)
      part[i] *= scale;
    done += n;
  }
}

StatusOr<AdapterChanges> readAdapterChanges(const std::string &directory, std::string_view modelType) { return Reader(directory, modelType).read(); }

} // namespace zp::rt

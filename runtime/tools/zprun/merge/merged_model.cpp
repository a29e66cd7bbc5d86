#include "runtime/tools/zprun/merge/merged_model.h"

#include <cstring>
#include <set>

#include "runtime/io/token_weights.h"
#include "runtime/schema/four_bit_modules.h"
#include "runtime/tools/zprun/model_files.h"

namespace zp::rt {

using nlohmann::ordered_json;

namespace {

class Builder {
public:
  Builder(const MergeOptions &options, MergedModel &model) : options(options), model(model) {}

  Status run() {
    ZP_ASSIGN_OR_RETURN(model.config, readObject<ordered_json>(options.model + "/config.json"));
    ZP_ASSIGN_OR_RETURN(base, ModelWeights::open(options.model));
    embedding = embeddingIn(base);
    ZP_ASSIGN_OR_RETURN(changes, readAdapterChanges(options.adapter, model.textIn("model_type")));
    nameAsTheBase(changes.added);
    nameAsTheBase(changes.replaced);
    ZP_RETURN_IF_ERROR(readTies());
    ZP_RETURN_IF_ERROR(readVocabulary());
    ZP_RETURN_IF_ERROR(listTensors());
    ZP_RETURN_IF_ERROR(checkBelonging());
    return requantize();
  }

private:
  /// Files of the hub may lack the prefix that the model's class has.
  template <typename Changes> void nameAsTheBase(Changes &changes) const {
    Changes renamed;
    for (auto &[name, change] : changes)
      renamed[base.storedName(name)] = std::move(change);
    changes = std::move(renamed);
  }

  /// Whether the head is the embedding, which some checkpoints hold twice, and stays so; and which other names the embedding has.
  Status readTies() {
    if (embedding.empty() || (!isChanged(kHeadWeight) && !isChanged(embedding)))
      return {};
    ZP_ASSIGN_OR_RETURN(WeightTensor tokens, base.find(embedding));
    for (const std::string &name : base.names())
      if (name != embedding && name != kHeadWeight && isTokenWeight(name) && !isChanged(name)) {
        ZP_ASSIGN_OR_RETURN(WeightTensor other, base.find(name));
        if (sameTensor(other, tokens))
          aliases.insert(name);
      }
    ZP_ASSIGN_OR_RETURN(bool differs, headDiffers(base));
    const bool tied = !base.contains(kHeadWeight) || (!differs && model.config.value("tie_word_embeddings", ordered_json()) != false);
    if (!tied)
      return {};
    // Of a pair that is one, PEFT saves the half that it has wrapped.
    for (const auto &[name, twin] : {std::pair<std::string, std::string>(kHeadWeight, embedding), {embedding, kHeadWeight}})
      if (auto half = changes.replaced.find(name); half != changes.replaced.end() && half->second.ends_with(".base_layer.weight"))
        changes.replaced.emplace(twin, half->second);
    ZP_ASSIGN_OR_RETURN(bool stays, staysTied());
    model.headLeaves = !stays;
    return {};
  }

  StatusOr<uint64_t> rowsOf(const std::string &name) {
    auto replacement = changes.replaced.find(name);
    const bool brought = replacement != changes.replaced.end();
    ZP_ASSIGN_OR_RETURN(StoredWeight weight, StoredWeight::open(brought ? changes.weights : base, brought ? replacement->second : name));
    return weight.shape().empty() ? 0 : weight.shape()[0];
  }

  /// Embedding and head have a row a token, also where the adapter brings one of them with other tokens than the base has.
  Status readVocabulary() {
    if (embedding.empty() || (!changes.replaced.contains(embedding) && !changes.replaced.contains(kHeadWeight)))
      return {};
    ZP_ASSIGN_OR_RETURN(StoredWeight before, StoredWeight::open(base, embedding));
    ZP_ASSIGN_OR_RETURN(uint64_t rows, rowsOf(embedding));
    uint64_t rowsOfHead = rows;
    if (base.contains(kHeadWeight) || changes.replaced.contains(kHeadWeight)) {
      ZP_ASSIGN_OR_RETURN(rowsOfHead, rowsOf(kHeadWeight));
    }
    if (rows != rowsOfHead)
      return Status(ErrorCode::AdapterMismatch,
                    changes.place + ": with it " + embedding + " has " + std::to_string(rows) + " rows and " + kHeadWeight + " " +
                        std::to_string(rowsOfHead) +
                        ", expected as many of both; name a base of so many tokens with --model (zprun resize makes one)");
    if (before.shape().size() != 2 || rows == before.shape()[0])
      return {};
    model.vocabularySize = rows;
    for (const std::string &name : base.names())
      if (isTokenWeight(name) && name != embedding && name != kHeadWeight && !aliases.contains(name) && !changes.replaced.contains(name))
        return Status(ErrorCode::AdapterMismatch, changes.place + ": makes " + std::to_string(rows) + " rows of " + embedding + ", and " + name +
                                                      " has other values than that, expected one table of all tokens; merge this adapter with PEFT");
    return {};
  }

  /// What the base has, and a head of its own where it was tied to an embedding and one of them changes.
  Status listTensors() {
    const std::vector<std::string> names = base.names();
    std::set<std::string> beside; // tensors that describe a weight in 4 bits
    for (const std::string &name : names)
      if (std::string kind = quantizedAs(base, name); !kind.empty() && kind != "int8" && !staysAsItIs(name))
        for (const std::string &suffix : {std::string("absmax"), std::string("quant_map"), std::string("nested_absmax"),
                                          std::string("nested_quant_map"), quantStateSuffix(*quantTypeOf(kind))})
          beside.insert(name + "." + suffix);
    for (const std::string &name : names)
      if (!beside.contains(name))
        ZP_RETURN_IF_ERROR(addTensor(name, name, aliases.contains(name) ? embedding : name));
    if (!model.headLeaves)
      return {};
    // BART's encoder and decoder are tied to the embedding by the same word of config.json as the head.
    if (model.textIn("model_type") == "bart" && embedding.ends_with("shared.weight"))
      for (const char *stack : {"encoder", "decoder"})
        if (std::string name = embedding.substr(0, embedding.size() - std::strlen("shared.weight")) + stack + ".embed_tokens.weight";
            !base.contains(name))
          ZP_RETURN_IF_ERROR(addTensor(name, embedding, embedding));
    return base.contains(kHeadWeight) ? Status() : addTensor(kHeadWeight, embedding, kHeadWeight);
  }

  bool isChanged(const std::string &name) const { return changes.added.contains(name) || changes.replaced.contains(name); }
  /// Codes and what describes them are copied.
  bool staysAsItIs(const std::string &name) const { return options.requantize && !isChanged(name); }

  /// The adapter has brought the two as one and the same.
  StatusOr<bool> staysTied() {
    auto head = changes.replaced.find(kHeadWeight), tokens = changes.replaced.find(embedding);
    if (head == changes.replaced.end() || tokens == changes.replaced.end() || changes.added.contains(kHeadWeight) ||
        changes.added.contains(embedding))
      return false;
    ZP_ASSIGN_OR_RETURN(WeightTensor one, changes.weights.find(head->second));
    ZP_ASSIGN_OR_RETURN(WeightTensor other, changes.weights.find(tokens->second));
    const bool same = sameTensor(one, other);
    if (same && !base.contains(kHeadWeight))
      changes.replaced.erase(head);
    return same;
  }

  static std::string_view moduleOf(std::string_view weight) { return weight.substr(0, weight.rfind('.')); }

  /// `baseName`: what it is in the base. `changed`: what the adapter's changes call it.
  Status addTensor(const std::string &name, const std::string &baseName, const std::string &changed) {
    MergedTensor tensor;
    tensor.name = name;
    tensor.source = baseName;
    ZP_ASSIGN_OR_RETURN(WeightTensor stored, base.find(baseName));
    tensor.shape = stored.info->shape;
    tensor.label = stored.info->dtype;
    auto change = changes.added.find(changed);
    auto replacement = changes.replaced.find(changed);
    const bool touched = change != changes.added.end() || replacement != changes.replaced.end();
    const bool packed = !quantizedAs(base, baseName).empty(), fourBits = packed && !staysAsItIs(name);
    tensor.floats = fourBits || (!packed && floatOf(stored.info->dtype, tensor.own)); // codes may be labelled as floats
    if (tensor.floats || touched) {
      ZP_ASSIGN_OR_RETURN(StoredWeight weight, StoredWeight::open(base, baseName));
      tensor.shape = weight.shape();
      tensor.own = tensor.dtype = weight.dtype();
      if (touched && tensor.own == DType::F16 && staysInFloats(model.textIn("model_type"), moduleOf(name)))
        tensor.own = tensor.dtype = DType::F32; // as transformers loads it, and PEFT saves the sum
      if (fourBits && !model.dequantized && !options.requantize)
        model.dequantized = weight.dtype();
      if (const FloatType *asked = findFloat(options.dtype))
        tensor.dtype = asked->dtype;
      tensor.label = floatOf(tensor.dtype).label;
    }
    if (name == kHeadBias && tensor.floats && model.vocabularySize)
      tensor.shape = {1, *model.vocabularySize}; // of new tokens zeros, as transformers has it
    if (replacement != changes.replaced.end())
      ZP_RETURN_IF_ERROR(replace(tensor, replacement->second));
    if (change != changes.added.end())
      ZP_RETURN_IF_ERROR(add(tensor, change->second));
    tensors.push_back(std::move(tensor));
    return {};
  }

  Status replace(MergedTensor &tensor, const std::string &name) {
    ZP_ASSIGN_OR_RETURN(StoredWeight weight, StoredWeight::open(changes.weights, name));
    const std::vector<uint64_t> &shape = weight.shape();
    const bool vocabulary = isTokenWeight(tensor.name) && shape.size() == 2 && tensor.shape.size() == 2 && shape[1] == tensor.shape[1];
    if (shape != tensor.shape && !vocabulary)
      return Status(ErrorCode::TensorShape, changes.place + ": tensor " + name + ": shape is " + shapeText(shape) + ", expected " +
                                                shapeText(tensor.shape) + " as the base has; name the base that the adapter was trained on");
    tensor.shape = shape;
    tensor.source = name;
    tensor.fromAdapter = true;
    return {};
  }

  Status add(MergedTensor &tensor, const LowRankChange &change) {
    if (tensor.shape != std::vector<uint64_t>{change.rows, change.columns})
      return Status(ErrorCode::TensorShape, changes.place + ": tensor " + change.b + ": its product with A is " +
                                                shapeText({change.rows, change.columns}) + ", expected " + shapeText(tensor.shape) +
                                                " as the base has; name the base that the adapter was trained on");
    tensor.change = &change;
    return {};
  }

  /// Everything of the adapter has found its place.
  Status checkBelonging() const {
    std::set<std::string> known;
    for (const MergedTensor &tensor : tensors)
      known.insert(tensor.name);
    auto check = [&](const std::string &name) {
      if (known.contains(name))
        return Status();
      return Status(ErrorCode::AdapterMismatch,
                    changes.place + ": changes " + name + ", which " + options.model +
                        " doesn't have, expected an adapter of this model; name the base that it was trained on with --model");
    };
    for (const auto &[name, change] : changes.added)
      ZP_RETURN_IF_ERROR(check(name));
    for (const auto &[name, own] : changes.replaced)
      ZP_RETURN_IF_ERROR(check(name));
    return {};
  }

  /// The weights that go back into 4 bits. Those of nested scales are computed here for the first time.
  Status requantize() {
    if (!options.requantize)
      return {};
    bool any = false;
    for (MergedTensor &tensor : tensors) {
      const std::string kind = base.contains(tensor.name) ? quantizedAs(base, tensor.name) : "";
      any |= !kind.empty();
      if (kind.empty() || staysAsItIs(tensor.name))
        continue;
      ZP_ASSIGN_OR_RETURN(PrequantizedWeight weight, PrequantizedWeight::open(base, tensor.name, *quantTypeOf(kind)));
      ZP_ASSIGN_OR_RETURN(WeightTensor codes, base.find(tensor.name));
      ZP_ASSIGN_OR_RETURN(RequantizedWeight made,
                          RequantizedWeight::prepare(tensor.name, weight.format(), codes.info->dtype, tensor.shape, changes.place,
                                                     [&model = model, &tensor] { return model.valuesOf(tensor); }));
      tensor.requantized = std::make_shared<RequantizedWeight>(std::move(made));
    }
    return any ? Status()
               : Status(ErrorCode::Usage, "--requantize: " + options.model +
                                              " has no weight in 4 bits, expected a base that has; leave the flag "
                                              "out, and run zprun quantize on the result");
  }

  const MergeOptions &options;
  MergedModel &model;
  ModelWeights &base = model.base;
  AdapterChanges &changes = model.changes;
  std::vector<MergedTensor> &tensors = model.tensors;
  std::string embedding;         // the base's; empty where it has none
  std::set<std::string> aliases; // the embedding again, as encoder and decoder call it
};

} // namespace

StatusOr<std::unique_ptr<MergedModel>> MergedModel::create(const MergeOptions &options) {
  auto model = std::make_unique<MergedModel>();
  ZP_RETURN_IF_ERROR(Builder(options, *model).run());
  return model;
}

std::string MergedModel::textIn(const char *key) const {
  const ordered_json value = config.value(key, ordered_json());
  return value.is_string() ? value.get<std::string>() : "";
}

StatusOr<MergedValues> MergedModel::valuesOf(const MergedTensor &tensor) {
  return MergedValues::open(tensor.fromAdapter ? changes.weights : base, tensor.source, tensor.own, changes, tensor.change, tensor.name);
}

} // namespace zp::rt

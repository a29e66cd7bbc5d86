#include "runtime/tools/zprun/merge/merge.h"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <span>

#include "runtime/base/atomic_file.h"
#include "runtime/base/text_file.h"
#include "runtime/io/convert_elements.h"
#include "runtime/io/token_weights.h"
#include "runtime/schema/four_bit_modules.h"
#include "runtime/tools/zprun/merge/requantized_weight.h"
#include "runtime/tools/zprun/model_files.h"
#include "runtime/tools/zprun/shard_files.h"
#include "runtime/tools/zprun/staged_directory.h"
#include "runtime/tools/zprun/tensor_progress.h"

namespace zp::rt {

using nlohmann::ordered_json;

namespace {

constexpr uint64_t kPiece = 1 << 20; // elements at a time: whole blocks of any 4-bit format

/// A tensor of the result.
struct MergedTensor {
  std::string name;
  std::string source; ///< tensor that its values come from
  bool fromAdapter = false;
  const LowRankChange *change = nullptr;
  bool floats = true;       ///< else its bytes are copied
  DType own = DType::F32;   ///< what the base has it in
  DType dtype = DType::F32; ///< in which it is written
  SafetensorsDtype label = SafetensorsDtype::F32;
  std::vector<uint64_t> shape;
  std::shared_ptr<RequantizedWeight> requantized; ///< it goes back into 4 bits

  uint64_t elements() const { return std::accumulate(shape.begin(), shape.end(), uint64_t{1}, std::multiplies<>()); }
};

class Merge {
public:
  explicit Merge(const MergeOptions &options) : options(options), configPath(options.model + "/config.json") {}

  Status run() {
    for (const auto &[flag, directory] : {std::pair("--model", options.model), {"--adapter_name_or_path", options.adapter}}) {
      std::error_code ignored;
      if (std::filesystem::equivalent(directory, options.output, ignored))
        return Status(ErrorCode::Usage, std::string("--output_dir: is the directory of ") + flag + ", expected another; name one with -o");
    }
    ZP_ASSIGN_OR_RETURN(config, readObject<ordered_json>(configPath));
    ZP_ASSIGN_OR_RETURN(base, ModelWeights::open(options.model));
    embedding = embeddingIn(base);
    ZP_ASSIGN_OR_RETURN(changes, readAdapterChanges(options.adapter, textIn("model_type")));
    nameAsTheBase(changes.added);
    nameAsTheBase(changes.replaced);
    ZP_RETURN_IF_ERROR(readTies());
    ZP_RETURN_IF_ERROR(readVocabulary());
    ZP_RETURN_IF_ERROR(listTensors());
    ZP_RETURN_IF_ERROR(checkBelonging());
    ZP_RETURN_IF_ERROR(requantize());
    ZP_ASSIGN_OR_RETURN(StagedDirectory stage, StagedDirectory::create(options.output));
    ZP_RETURN_IF_ERROR(writeTensors(stage.path()));
    ZP_RETURN_IF_ERROR(writeOthers(stage.path()));
    return stage.commit("config.json");
  }

private:
  std::string textIn(const char *key) const {
    const ordered_json value = config.value(key, ordered_json());
    return value.is_string() ? value.get<std::string>() : "";
  }

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
    const bool tied = !base.contains(kHeadWeight) || (!differs && config.value("tie_word_embeddings", ordered_json()) != false);
    if (!tied)
      return {};
    // Of a pair that is one, PEFT saves the half that it has wrapped.
    for (const auto &[name, twin] : {std::pair<std::string, std::string>(kHeadWeight, embedding), {embedding, kHeadWeight}})
      if (auto half = changes.replaced.find(name); half != changes.replaced.end() && half->second.ends_with(".base_layer.weight"))
        changes.replaced.emplace(twin, half->second);
    ZP_ASSIGN_OR_RETURN(bool stays, staysTied());
    headLeaves = !stays;
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
    vocabularySize = rows;
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
    if (!headLeaves)
      return {};
    // BART's encoder and decoder are tied to the embedding by the same word of config.json as the head.
    if (textIn("model_type") == "bart" && embedding.ends_with("shared.weight"))
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
      if (touched && tensor.own == DType::F16 && staysInFloats(textIn("model_type"), moduleOf(name)))
        tensor.own = tensor.dtype = DType::F32; // as transformers loads it, and PEFT saves the sum
      if (fourBits && !dequantized && !options.requantize)
        dequantized = weight.dtype();
      if (const FloatType *asked = findFloat(options.dtype))
        tensor.dtype = asked->dtype;
      tensor.label = floatOf(tensor.dtype).label;
    }
    if (name == kHeadBias && tensor.floats && vocabularySize)
      tensor.shape = {1, *vocabularySize}; // of new tokens zeros, as transformers has it
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
      ZP_ASSIGN_OR_RETURN(RequantizedWeight made, RequantizedWeight::prepare(tensor.name, weight.format(), codes.info->dtype, tensor.shape,
                                                                             changes.place, [this, &tensor] { return valuesOf(tensor); }));
      tensor.requantized = std::make_shared<RequantizedWeight>(std::move(made));
    }
    return any ? Status()
               : Status(ErrorCode::Usage, "--requantize: " + options.model +
                                              " has no weight in 4 bits, expected a base that has; leave the flag "
                                              "out, and run zprun quantize on the result");
  }

  StatusOr<MergedValues> valuesOf(const MergedTensor &tensor) {
    return MergedValues::open(tensor.fromAdapter ? changes.weights : base, tensor.source, tensor.own, changes, tensor.change, tensor.name);
  }

  Status writeTensors(const std::string &directory) {
    std::vector<SafetensorsEntry> entries;
    std::map<std::string, const MergedTensor *> byName;
    for (const MergedTensor &tensor : tensors) {
      std::vector<SafetensorsEntry> own = {{tensor.name, tensor.label, tensor.shape}};
      if (tensor.requantized)
        own = tensor.requantized->entries();
      for (SafetensorsEntry &entry : own) {
        byName[entry.name] = &tensor;
        entries.push_back(std::move(entry));
      }
    }
    TensorProgress progress("merge", entries.size(), options.quiet);
    return writeShards(directory, std::move(entries), options.maxShardBytes, [&](const std::string &name, SafetensorsWriter &writer) {
      const MergedTensor &tensor = *byName.at(name);
      progress.step();
      if (tensor.requantized)
        return tensor.requantized->write(name, writer);
      return !tensor.floats ? copyBytes(tensor, writer) : tensor.change ? writeSum(tensor, writer) : writeFloats(tensor, writer);
    });
  }

  Status copyBytes(const MergedTensor &tensor, SafetensorsWriter &writer) {
    ZP_ASSIGN_OR_RETURN(WeightTensor source, base.find(tensor.source));
    return writer.write(tensor.name, 0, source.data(), source.info->bytes);
  }

  /// Numbers that have become infinities of 16 bits. `first` is the place of the first in the tensor.
  Status checkRange(const MergedTensor &tensor, uint64_t first, std::span<const std::byte> from, DType was, std::span<const std::byte> to,
                    uint64_t count) const {
    if (tensor.dtype == was || tensor.dtype == DType::F32)
      return {};
    const uint16_t infinity = tensor.dtype == DType::F16 ? 0x7c00 : 0x7f80;
    for (uint64_t i = 0; i < count; ++i) {
      uint16_t bits;
      std::memcpy(&bits, to.data() + i * sizeof bits, sizeof bits);
      if ((bits & infinity) != infinity)
        continue;
      float value;
      convertElements(from.data() + bytesOf(was, i), was, reinterpret_cast<std::byte *>(&value), DType::F32, 1);
      if (std::isfinite(value))
        return Status(ErrorCode::NonFinite, (tensor.fromAdapter || tensor.change ? changes.place : base.place()) + ": " + tensor.name + ": element " +
                                                std::to_string(first + i) + " of the merged weight is " + std::to_string(value) + ", expected what " +
                                                floatOf(tensor.dtype).name + " can hold; choose another --dtype");
    }
    return {};
  }

  /// As they are, but for their dtype. Beyond what there are, zeros.
  Status writeFloats(const MergedTensor &tensor, SafetensorsWriter &writer) {
    ZP_ASSIGN_OR_RETURN(StoredWeight source, StoredWeight::open(tensor.fromAdapter ? changes.weights : base, tensor.source));
    const uint64_t had = source.elements(), elements = tensor.elements(), most = std::min(kPiece, elements);
    std::vector<std::byte> stored(bytesOf(source.dtype(), most)), out(bytesOf(tensor.dtype, most));
    for (uint64_t first = 0; first < elements; first += kPiece) {
      const uint64_t count = std::min(kPiece, elements - first), there = std::min(count, had - std::min(had, first));
      ZP_RETURN_IF_ERROR(source.read(first, there, stored.data()));
      convertElements(stored.data(), source.dtype(), out.data(), tensor.dtype, there);
      ZP_RETURN_IF_ERROR(checkRange(tensor, first, stored, source.dtype(), out, there));
      std::fill(out.begin() + static_cast<std::ptrdiff_t>(bytesOf(tensor.dtype, there)), out.end(), std::byte{0});
      ZP_RETURN_IF_ERROR(writer.write(tensor.name, bytesOf(tensor.dtype, first), out.data(), bytesOf(tensor.dtype, count)));
    }
    return {};
  }

  Status writeSum(const MergedTensor &tensor, SafetensorsWriter &writer) {
    ZP_ASSIGN_OR_RETURN(MergedValues values, valuesOf(tensor));
    const uint64_t elements = values.elements(), most = std::min(kPiece, elements);
    std::vector<float> sum(most);
    std::vector<std::byte> out(bytesOf(tensor.dtype, most));
    for (uint64_t first = 0; first < elements; first += kPiece) {
      const uint64_t count = std::min(kPiece, elements - first);
      ZP_RETURN_IF_ERROR(values.read(first, count, options.safe, sum.data()));
      convertElements(reinterpret_cast<const std::byte *>(sum.data()), DType::F32, out.data(), tensor.dtype, count);
      ZP_RETURN_IF_ERROR(checkRange(tensor, first, std::as_bytes(std::span(sum)), DType::F32, out, count));
      ZP_RETURN_IF_ERROR(writer.write(tensor.name, bytesOf(tensor.dtype, first), out.data(), bytesOf(tensor.dtype, count)));
    }
    return {};
  }

  /// config.json as it is, but for what the merge has changed, and the files beside it.
  Status writeOthers(const std::string &directory) {
    ZP_RETURN_IF_ERROR(copyBeside(options.model, directory));
    ZP_RETURN_IF_ERROR(copyTokenizer(options.adapter, directory)); // with the tokens that it was trained with
    const ordered_json given = config;
    if (dequantized)
      config.erase("quantization_config");
    const FloatType *dtype = findFloat(options.dtype);
    if (!dtype && dequantized)
      dtype = &floatOf(*dequantized);
    if (dtype)
      config[config.contains("torch_dtype") ? "torch_dtype" : "dtype"] = dtype->name;
    if (vocabularySize)
      config["vocab_size"] = *vocabularySize;
    // T5's word for it says how the head's input is scaled: there the two are told apart by their values.
    if (headLeaves && textIn("model_type") != "t5" && textIn("model_type") != "mt5")
      config["tie_word_embeddings"] = false;
    ZP_ASSIGN_OR_RETURN(std::string text, readTextFile(configPath));
    return writeFileAtomically(directory + "/config.json", config == given ? text : config.dump(2, ' ', true) + "\n");
  }

  const MergeOptions &options;
  const std::string configPath;
  ordered_json config;
  ModelWeights base;
  std::string embedding;         // the base's; empty where it has none
  std::set<std::string> aliases; // the embedding again, as encoder and decoder call it
  bool headLeaves = false;       // the head was the embedding, and is a tensor of its own now
  AdapterChanges changes;
  std::vector<MergedTensor> tensors;
  std::optional<DType> dequantized;       // what the first weight in 4 bits was quantized from
  std::optional<uint64_t> vocabularySize; // when the adapter brings another
};

} // namespace

Status mergeAdapter(const MergeOptions &options) { return Merge(options).run(); }

} // namespace zp::rt

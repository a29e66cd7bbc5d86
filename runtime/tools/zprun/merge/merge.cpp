#include "runtime/tools/zprun/merge/merge.h"

#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>

#include "runtime/base/atomic_file.h"
#include "runtime/base/text_file.h"
#include "runtime/io/convert_elements.h"
#include "runtime/io/token_weights.h"
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
  DType dtype = DType::F32; ///< in which it is written
  SafetensorsDtype label = SafetensorsDtype::F32;
  std::vector<uint64_t> shape;
  std::shared_ptr<RequantizedWeight> requantized; ///< it goes back into 4 bits
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
        ZP_RETURN_IF_ERROR(addTensor(name, name));
    const bool tied = !base.contains(kHeadWeight) && !embedding.empty();
    if (!tied || (!isChanged(kHeadWeight) && !isChanged(embedding)))
      return {};
    ZP_ASSIGN_OR_RETURN(bool stay, staysTied());
    if (stay)
      return {};
    return addTensor(kHeadWeight, embedding);
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
    if (same)
      changes.replaced.erase(head);
    return same;
  }

  /// `baseName`: what it is in the base.
  Status addTensor(const std::string &name, const std::string &baseName) {
    MergedTensor tensor;
    tensor.name = name;
    tensor.source = baseName;
    ZP_ASSIGN_OR_RETURN(WeightTensor stored, base.find(baseName));
    tensor.shape = stored.info->shape;
    tensor.label = stored.info->dtype;
    auto change = changes.added.find(name);
    auto replacement = changes.replaced.find(name);
    const bool touched = change != changes.added.end() || replacement != changes.replaced.end();
    const bool packed = !quantizedAs(base, baseName).empty(), fourBits = packed && !staysAsItIs(name);
    tensor.floats = fourBits || (!packed && floatOf(stored.info->dtype, tensor.dtype)); // codes may be labelled as floats
    if (tensor.floats || touched) {
      ZP_ASSIGN_OR_RETURN(StoredWeight weight, StoredWeight::open(base, baseName));
      tensor.shape = weight.shape();
      tensor.dtype = weight.dtype();
      if (fourBits && !dequantized && !options.requantize)
        dequantized = weight.dtype();
      if (const FloatType *asked = findFloat(options.dtype))
        tensor.dtype = asked->dtype;
      tensor.label = floatOf(tensor.dtype).label;
    }
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
    const bool vocabulary = isTokenWeight(tensor.name);
    const bool fits = shape == tensor.shape || (vocabulary && shape.size() == 2 && tensor.shape.size() == 2 && shape[1] == tensor.shape[1]);
    if (!fits)
      return Status(ErrorCode::TensorShape, changes.place + ": tensor " + name + ": shape is " + shapeText(shape) + ", expected " +
                                                shapeText(tensor.shape) + " as the base has; name the base that the adapter was trained on");
    if (tensor.name == embedding && shape[0] != tensor.shape[0])
      vocabularySize = shape[0];
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
    return MergedValues::open(tensor.fromAdapter ? changes.weights : base, tensor.source, changes, tensor.change, tensor.name);
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

  /// As they are, but for their dtype.
  Status writeFloats(const MergedTensor &tensor, SafetensorsWriter &writer) {
    ZP_ASSIGN_OR_RETURN(StoredWeight source, StoredWeight::open(tensor.fromAdapter ? changes.weights : base, tensor.source));
    const uint64_t elements = source.elements(), most = std::min(kPiece, elements);
    std::vector<std::byte> stored(bytesOf(source.dtype(), most)), out(bytesOf(tensor.dtype, most));
    for (uint64_t first = 0; first < elements; first += kPiece) {
      const uint64_t count = std::min(kPiece, elements - first);
      ZP_RETURN_IF_ERROR(source.read(first, count, stored.data()));
      convertElements(stored.data(), source.dtype(), out.data(), tensor.dtype, count);
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
    for (const MergedTensor &tensor : tensors)
      if (tensor.name == kHeadWeight && (isChanged(kHeadWeight) || isChanged(embedding)))
        config["tie_word_embeddings"] = false;
    ZP_ASSIGN_OR_RETURN(std::string text, readTextFile(configPath));
    return writeFileAtomically(directory + "/config.json", config == given ? text : config.dump(2, ' ', true) + "\n");
  }

  const MergeOptions &options;
  const std::string configPath;
  ordered_json config;
  ModelWeights base;
  std::string embedding; // the base's; empty where it has none
  AdapterChanges changes;
  std::vector<MergedTensor> tensors;
  std::optional<DType> dequantized;       // what the first weight in 4 bits was quantized from
  std::optional<uint64_t> vocabularySize; // when the adapter brings another
};

} // namespace

Status mergeAdapter(const MergeOptions &options) { return Merge(options).run(); }

} // namespace zp::rt

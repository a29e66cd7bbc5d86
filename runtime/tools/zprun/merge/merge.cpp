#include "runtime/tools/zprun/merge/merge.h"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>

#include "runtime/io/atomic_file.h"
#include "runtime/io/convert_elements.h"
#include "runtime/io/token_weights.h"
#include "runtime/tools/zprun/merge/adapter_changes.h"
#include "runtime/tools/zprun/merge/stored_weight.h"
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
};

class Merge {
public:
  explicit Merge(const MergeOptions &options) : options(options), configPath(options.model + "/config.json") {}

  Status run() {
    for (const auto &[flag, directory] : {std::pair("--model", options.model), {"--adapter_name_or_path", options.adapter}}) {
      std::error_code ignored;
      if (std::filesystem::equivalent(directory, options.output, ignored))
        return Status(ErrorCode::Usage,
                      std::string("--output_dir: is the directory of ") + flag + ", expected another; name one with -o");
    }
    ZP_ASSIGN_OR_RETURN(config, readObject<ordered_json>(configPath));
    ZP_ASSIGN_OR_RETURN(base, Checkpoint::open(options.model));
    embedding = embeddingIn(base);
    ZP_ASSIGN_OR_RETURN(changes, readAdapterChanges(options.adapter));
    ZP_RETURN_IF_ERROR(listTensors());
    ZP_RETURN_IF_ERROR(checkBelonging());
    ZP_ASSIGN_OR_RETURN(StagedDirectory stage, StagedDirectory::create(options.output));
    ZP_RETURN_IF_ERROR(writeTensors(stage.path()));
    ZP_RETURN_IF_ERROR(writeOthers(stage.path()));
    return stage.commit("config.json");
  }

private:
  /// What the base has, and a head of its own where it was tied to an embedding and one of them changes.
  Status listTensors() {
    const std::vector<std::string> names = base.names();
    std::set<std::string> beside; // tensors that describe a weight in 4 bits
    for (const std::string &name : names)
      if (std::string kind = quantizedAs(base, name); !kind.empty() && kind != "int8")
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

  /// The adapter has brought the two as one and the same.
  StatusOr<bool> staysTied() {
    auto head = changes.replaced.find(kHeadWeight), tokens = changes.replaced.find(embedding);
    if (head == changes.replaced.end() || tokens == changes.replaced.end() || changes.added.contains(kHeadWeight) ||
        changes.added.contains(embedding))
      return false;
    ZP_ASSIGN_OR_RETURN(CheckpointTensor one, changes.weights.find(head->second));
    ZP_ASSIGN_OR_RETURN(CheckpointTensor other, changes.weights.find(tokens->second));
    const bool same = one.info->dtype == other.info->dtype && one.info->shape == other.info->shape &&
                      std::memcmp(one.data(), other.data(), one.info->bytes) == 0;
    if (same)
      changes.replaced.erase(head);
    return same;
  }

  /// `baseName`: what it is in the base.
  Status addTensor(const std::string &name, const std::string &baseName) {
    MergedTensor tensor;
    tensor.name = name;
    tensor.source = baseName;
    ZP_ASSIGN_OR_RETURN(CheckpointTensor stored, base.find(baseName));
    tensor.shape = stored.info->shape;
    tensor.label = stored.info->dtype;
    auto change = changes.added.find(name);
    auto replacement = changes.replaced.find(name);
    const bool touched = change != changes.added.end() || replacement != changes.replaced.end();
    const bool fourBits = !quantizedAs(base, baseName).empty();
    tensor.floats = fourBits || floatOf(stored.info->dtype, tensor.dtype);
    if (tensor.floats || touched) {
      ZP_ASSIGN_OR_RETURN(StoredWeight weight, StoredWeight::open(base, baseName));
      tensor.shape = weight.shape();
      tensor.dtype = weight.dtype();
      if (fourBits && !dequantized)
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
    const bool fits =
        shape == tensor.shape || (vocabulary && shape.size() == 2 && tensor.shape.size() == 2 && shape[1] == tensor.shape[1]);
    if (!fits)
      return Status(ErrorCode::TensorShape, changes.place + ": tensor " + name + ": shape is " + shapeText(shape) +
                                                ", expected " + shapeText(tensor.shape) +
                                                " as the base has; name the base that the adapter was trained on");
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
                                                shapeText({change.rows, change.columns}) + ", expected " +
                                                shapeText(tensor.shape) +
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

  Status writeTensors(const std::string &directory) {
    std::vector<SafetensorsEntry> entries;
    for (const MergedTensor &tensor : tensors)
      entries.push_back({tensor.name, tensor.label, tensor.shape});
    std::map<std::string, const MergedTensor *> byName;
    for (const MergedTensor &tensor : tensors)
      byName[tensor.name] = &tensor;
    TensorProgress progress("merge", tensors.size(), options.quiet);
    return writeShards(directory, std::move(entries), options.maxShardBytes, [&](const std::string &name, SafetensorsWriter &writer) {
      const MergedTensor &tensor = *byName.at(name);
      progress.step();
      return tensor.floats ? writeFloats(tensor, writer) : copyBytes(tensor, writer);
    });
  }

  Status copyBytes(const MergedTensor &tensor, SafetensorsWriter &writer) {
    ZP_ASSIGN_OR_RETURN(CheckpointTensor source, base.find(tensor.source));
    return writer.write(tensor.name, 0, source.data(), source.info->bytes);
  }

  Status writeFloats(const MergedTensor &tensor, SafetensorsWriter &writer) {
    ZP_ASSIGN_OR_RETURN(StoredWeight source, StoredWeight::open(tensor.fromAdapter ? changes.weights : base, tensor.source));
    std::optional<LowRankProduct> product;
    if (tensor.change) {
      ZP_ASSIGN_OR_RETURN(product, LowRankProduct::load(changes.weights, *tensor.change));
    }
    const uint64_t elements = source.elements(), most = std::min(kPiece, elements);
    std::vector<std::byte> stored(bytesOf(source.dtype(), most)), out(bytesOf(tensor.dtype, most));
    std::vector<float> values(product ? most : 0), added(product ? most : 0);
    for (uint64_t first = 0; first < elements; first += kPiece) {
      const uint64_t count = std::min(kPiece, elements - first);
      ZP_RETURN_IF_ERROR(source.read(first, count, stored.data()));
      if (product) {
        convertElements(stored.data(), source.dtype(), values.data(), DType::F32, count);
        product->compute(first, count, added.data());
        if (options.safe)
          round(added, source.dtype(), count);
        for (uint64_t i = 0; i < count; ++i)
          values[i] += added[i];
        ZP_RETURN_IF_ERROR(checkFinite(tensor, first, {values.data(), count}));
        convertElements(reinterpret_cast<const std::byte *>(values.data()), DType::F32, out.data(), tensor.dtype, count);
      } else {
        convertElements(stored.data(), source.dtype(), out.data(), tensor.dtype, count);
      }
      ZP_RETURN_IF_ERROR(writer.write(tensor.name, bytesOf(tensor.dtype, first), out.data(), bytesOf(tensor.dtype, count)));
    }
    return {};
  }

  /// To what `dtype` can hold.
  static void round(std::vector<float> &values, DType dtype, uint64_t count) {
    if (dtype == DType::F32)
      return;
    std::vector<std::byte> rounded(bytesOf(dtype, count));
    convertElements(reinterpret_cast<const std::byte *>(values.data()), DType::F32, rounded.data(), dtype, count);
    convertElements(rounded.data(), dtype, values.data(), DType::F32, count);
  }

  Status checkFinite(const MergedTensor &tensor, uint64_t first, std::span<const float> values) const {
    for (size_t i = 0; i < values.size(); ++i)
      if (!std::isfinite(values[i]))
        return Status(ErrorCode::NonFinite, changes.place + ": " + tensor.name + ": element " + std::to_string(first + i) +
                                                " of the merged weight is " + std::to_string(values[i]) +
                                                ", expected finite numbers; look at base and adapter, one of them is broken");
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
  Checkpoint base;
  std::string embedding; // the base's; empty where it has none
  AdapterChanges changes;
  std::vector<MergedTensor> tensors;
  std::optional<DType> dequantized;       // what the first weight in 4 bits was quantized from
  std::optional<uint64_t> vocabularySize; // when the adapter brings another
};

} // namespace

Status mergeAdapter(const MergeOptions &options) { return Merge(options).run(); }

} // namespace zp::rt

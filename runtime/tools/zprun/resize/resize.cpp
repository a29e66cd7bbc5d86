#include "runtime/tools/zprun/resize/resize.h"

#include <filesystem>

#include "runtime/base/atomic_file.h"
#include "runtime/io/convert_elements.h"
#include "runtime/io/parameter_info.h"
#include "runtime/io/token_weights.h"
#include "runtime/tools/zprun/model_files.h"
#include "runtime/tools/zprun/shard_files.h"
#include "runtime/tools/zprun/staged_directory.h"
#include "runtime/tools/zprun/tensor_progress.h"

namespace zp::rt {

using nlohmann::ordered_json;

namespace {

/// The mean of a matrix's rows, in its own dtype.
std::vector<std::byte> meanRow(const WeightTensor &tensor, DType dtype) {
  const uint64_t rows = tensor.info->shape[0], columns = tensor.info->shape[1];
  std::vector<double> sums(columns);
  std::vector<float> row(columns);
  for (uint64_t r = 0; r < rows; ++r) {
    convertElements(tensor.data() + bytesOf(dtype, r * columns), dtype, row.data(), DType::F32, columns);
    for (uint64_t c = 0; c < columns; ++c)
      sums[c] += row[c];
  }
  for (uint64_t c = 0; c < columns; ++c)
    row[c] = static_cast<float>(sums[c] / static_cast<double>(rows));
  std::vector<std::byte> mean(bytesOf(dtype, columns));
  convertElements(reinterpret_cast<const std::byte *>(row.data()), DType::F32, mean.data(), dtype, columns);
  return mean;
}

class Resize {
public:
  explicit Resize(const ResizeOptions &options) : options(options), configPath(options.model + "/config.json") {}

  Status run() {
    std::error_code ignored;
    if (std::filesystem::equivalent(options.model, options.output, ignored))
      return Status(ErrorCode::Usage, "--output_dir: is the model's own directory, expected another; name one with -o");
    ZP_ASSIGN_OR_RETURN(config, readObject<ordered_json>(configPath));
    ZP_ASSIGN_OR_RETURN(base, ModelWeights::open(options.model));
    ZP_RETURN_IF_ERROR(chooseRows());
    std::vector<SafetensorsEntry> entries;
    for (const std::string &name : base.names()) {
      ZP_ASSIGN_OR_RETURN(WeightTensor tensor, base.find(name));
      entries.push_back({name, tensor.info->dtype, tensor.info->shape});
      if (grows(name))
        entries.back().shape[rowsAt(name)] = rows;
    }
    ZP_ASSIGN_OR_RETURN(StagedDirectory stage, StagedDirectory::create(options.output));
    TensorProgress progress("resize", entries.size(), options.quiet);
    ZP_RETURN_IF_ERROR(writeShards(stage.path(), std::move(entries), options.maxShardBytes, [&](const std::string &name, SafetensorsWriter &writer) {
      progress.step();
      return writeTensor(name, writer);
    }));
    ZP_RETURN_IF_ERROR(copyBeside(options.model, stage.path()));
    if (!options.tokenizer.empty())
      ZP_RETURN_IF_ERROR(copyTokenizer(options.tokenizer, stage.path()));
    config["vocab_size"] = rows;
    ZP_RETURN_IF_ERROR(writeFileAtomically(stage.path() + "/config.json", config.dump(2, ' ', true) + "\n"));
    return stage.commit("config.json");
  }

private:
  static bool isHeadBias(const std::string &name) { return name == kHeadBias; }
  static bool grows(const std::string &name) { return isTokenWeight(name) || isHeadBias(name); }
  /// Which of its extents is the vocabulary's.
  static size_t rowsAt(const std::string &name) { return isHeadBias(name) ? 1 : 0; }

  Status chooseRows() {
    const std::string embeddingName = embeddingIn(base);
    if (embeddingName.empty())
      return Status(ErrorCode::TensorMissing, base.place() + ": has no embeddings of tokens, expected embed_tokens, word_embeddings or "
                                                             "shared; name the directory of a language model");
    ZP_ASSIGN_OR_RETURN(WeightTensor embedding, base.find(embeddingName));
    for (const std::string &name : base.names()) {
      if (!grows(name))
        continue;
      ZP_ASSIGN_OR_RETURN(WeightTensor tensor, base.find(name));
      if (tensor.info->shape.size() != 2 || embedding.info->shape.size() != 2 || tensor.info->shape[rowsAt(name)] != embedding.info->shape[0] ||
          (isHeadBias(name) && tensor.info->shape[0] != 1))
        return Status(ErrorCode::TensorShape, placeOf(tensor, name) + "shape is " + shapeText(tensor.info->shape) +
                                                  ", expected a row a token, as many as embeddings; fetch the model again");
      DType dtype;
      if (!floatOf(tensor.info->dtype, dtype))
        return Status(ErrorCode::TensorDtype,
                      placeOf(tensor, name) + "dtype is " + textOf(tensor.info->dtype) + ", expected F32, BF16 or F16; convert the checkpoint");
    }
    const uint64_t have = embedding.info->shape[0];
    rows = (options.vocabulary + options.multiple - 1) / options.multiple * options.multiple;
    if (rows > have && rows < uint64_t{1} << 31)
      return {};
    return Status(ErrorCode::Config, "--vocab_size: makes " + std::to_string(rows) + " rows, expected more than the " + std::to_string(have) +
                                         " that the model has and fewer than 2^31; use the model as it is");
  }

  Status writeTensor(const std::string &name, SafetensorsWriter &writer) {
    ZP_ASSIGN_OR_RETURN(WeightTensor tensor, base.find(name));
    ZP_RETURN_IF_ERROR(writer.write(name, 0, tensor.data(), tensor.info->bytes));
    if (grows(name)) {
      DType dtype = DType::F32;
      floatOf(tensor.info->dtype, dtype); // was seen to be floats
      // Of the bias of logits it is zeros, as transformers has it.
      const std::vector<std::byte> mean = isHeadBias(name) ? std::vector<std::byte>(bytesOf(dtype, 1)) : meanRow(tensor, dtype);
      for (uint64_t row = tensor.info->shape[rowsAt(name)]; row < rows; ++row)
        ZP_RETURN_IF_ERROR(writer.write(name, row * mean.size(), mean.data(), mean.size()));
    }
    tensor.file->release(*tensor.info, 0, tensor.info->bytes);
    return {};
  }

  const ResizeOptions &options;
  const std::string configPath;
  ordered_json config;
  ModelWeights base;
  uint64_t rows = 0;
};

} // namespace

Status resizeModel(const ResizeOptions &options) { return Resize(options).run(); }

} // namespace zp::rt

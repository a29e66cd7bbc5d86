#include "runtime/tools/zprun/merge/merged_tensors.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <span>

#include "runtime/io/convert_elements.h"
#include "runtime/io/float_types.h"
#include "runtime/tools/zprun/shard_files.h"
#include "runtime/tools/zprun/tensor_progress.h"

namespace zp::rt {

namespace {

constexpr uint64_t kPiece = 1 << 20; // elements at a time: whole blocks of any 4-bit format

class Writing {
public:
  Writing(MergedModel &model, const MergeOptions &options) : model(model), options(options) {}

  Status run(const std::string &directory) {
    std::vector<SafetensorsEntry> entries;
    std::map<std::string, const MergedTensor *> byName;
    for (const MergedTensor &tensor : model.tensors) {
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

private:
  Status copyBytes(const MergedTensor &tensor, SafetensorsWriter &writer) {
    ZP_ASSIGN_OR_RETURN(WeightTensor source, model.base.find(tensor.source));
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
        return Status(ErrorCode::NonFinite, model.placeOf(tensor) + ": " + tensor.name + ": element " + std::to_string(first + i) +
                                                " of the merged weight is " + std::to_string(value) + ", expected what " +
                                                floatOf(tensor.dtype).name + " can hold; choose another --dtype");
    }
    return {};
  }

  /// As they are, but for their dtype. Beyond what there are, zeros.
  Status writeFloats(const MergedTensor &tensor, SafetensorsWriter &writer) {
    ZP_ASSIGN_OR_RETURN(StoredWeight source, StoredWeight::open(tensor.fromAdapter ? model.changes.weights : model.base, tensor.source));
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
    ZP_ASSIGN_OR_RETURN(MergedValues values, model.valuesOf(tensor));
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

  MergedModel &model;
  const MergeOptions &options;
};

} // namespace

Status writeMergedTensors(MergedModel &model, const MergeOptions &options, const std::string &directory) {
  return Writing(model, options).run(directory);
}

} // namespace zp::rt

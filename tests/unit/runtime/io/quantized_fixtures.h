// What bitsandbytes made of weights (tests/golden/nf4/fixtures.safetensors), as records and as the tensors of a
// checkpoint.
#ifndef ZP_TESTS_UNIT_RUNTIME_IO_QUANTIZED_FIXTURES_H
#define ZP_TESTS_UNIT_RUNTIME_IO_QUANTIZED_FIXTURES_H

#include <cstring>
#include <map>
#include <memory>

#include <gtest/gtest.h>

#include "runtime/io/safetensors_writer.h"
#include "runtime/quant/quant_state_json.h"
#include "runtime/schema/quant_records.h"

namespace zp::test {

using Bytes = std::vector<uint8_t>;

inline constexpr const char *kFixtures = "tests/golden/nf4/fixtures.safetensors";

/// One weight, quantised by the reference.
struct QuantizedCase {
  std::string weight; ///< tensor of the fixtures
  QuantRecords layout;
  rt::QuantState state;
  Bytes packed, absmax, nestedAbsmax, stateText;

  uint64_t elements() const { return state.elements(); }
  std::vector<int64_t> shape() const { return {state.shape.begin(), state.shape.end()}; }
};

inline void put(Bytes &target, uint64_t at, const Bytes &source, uint64_t from, uint64_t count) {
  from = std::min<uint64_t>(from, source.size());
  count = std::min<uint64_t>(count, source.size() - from);
  std::copy_n(source.begin() + static_cast<std::ptrdiff_t>(from), count, target.begin() + static_cast<std::ptrdiff_t>(at));
}

/// The records that quant_records.h describes, from whole tensors as a checkpoint has them.
inline Bytes recordsOf(const QuantRecords &layout, uint64_t elements, const Bytes &packed, const Bytes &absmax, const Bytes &nestedAbsmax,
                       float offset) {
  Bytes records(layout.bytesFor(elements), 0);
  const uint64_t scale = layout.nested ? 1 : 4;
  for (uint64_t k = 0; k < layout.countFor(elements); ++k) {
    const uint64_t at = k * layout.bytes();
    put(records, at, packed, k * 128 * layout.blockSize, 128 * layout.blockSize);
    put(records, at + 128 * layout.blockSize, absmax, k * 256 * scale, 256 * scale);
    if (layout.nested) {
      put(records, at + 128 * layout.blockSize + 256, nestedAbsmax, k * 4, 4);
      std::memcpy(records.data() + at + 128 * layout.blockSize + 260, &offset, 4);
    }
  }
  return records;
}
inline Bytes recordsOf(const QuantizedCase &c) {
  return recordsOf(c.layout, c.elements(), c.packed, c.absmax, c.nestedAbsmax, c.state.nestedOffset.value_or(0));
}

class QuantizedFixtures {
public:
  QuantizedFixtures() : file(*rt::SafetensorsFile::open(kFixtures)) {
    constexpr std::string_view mark = ".quant_state.bitsandbytes__";
    for (const auto &[tensor, info] : file->tensors())
      if (size_t at = tensor.find(mark); at != std::string::npos) {
        const std::string name = tensor.substr(0, at);
        QuantizedCase c;
        c.weight = name.substr(0, name.find('.')) + ".weight";
        c.stateText = bytes(tensor);
        std::string_view text(reinterpret_cast<const char *>(c.stateText.data()), c.stateText.size());
        c.state = *rt::readQuantState(tensor, text, *rt::quantTypeOf(tensor.substr(at + mark.size())));
        c.layout = {c.state.format.type, c.state.format.blockSize, c.state.nestedOffset.has_value()};
        c.packed = bytes(name);
        c.absmax = bytes(name + ".absmax");
        if (c.layout.nested)
          c.nestedAbsmax = bytes(name + ".nested_absmax");
        byName[name] = std::move(c);
      }
  }
  Bytes bytes(const std::string &tensor) const {
    const rt::SafetensorsInfo *info = file->find(tensor);
    EXPECT_TRUE(info) << tensor;
    auto *at = reinterpret_cast<const uint8_t *>(file->data(*info));
    return {at, at + info->bytes};
  }
  /// By the fixtures' name, e.g. "odd_f32.nf4-32-nested".
  const std::map<std::string, QuantizedCase> &cases() const { return byName; }
  const QuantizedCase &operator[](const std::string &name) const { return byName.at(name); }

private:
  std::shared_ptr<const rt::SafetensorsFile> file;
  std::map<std::string, QuantizedCase> byName;
};

/// Tensors of a checkpoint, to be changed and written.
struct TensorBytes {
  rt::SafetensorsDtype dtype;
  std::vector<uint64_t> shape;
  Bytes bytes;
};
using CheckpointTensors = std::map<std::string, TensorBytes>;

inline void writeTensors(const std::string &path, const CheckpointTensors &tensors) {
  std::vector<rt::SafetensorsEntry> entries;
  for (const auto &[name, tensor] : tensors)
    entries.push_back({name, tensor.dtype, tensor.shape});
  auto writer = rt::SafetensorsWriter::create(path, entries, nullptr);
  ASSERT_TRUE(writer.ok()) << writer.status().toString();
  for (const auto &[name, tensor] : tensors) {
    Status status = writer->write(name, 0, tensor.bytes.data(), tensor.bytes.size());
    ASSERT_TRUE(status.ok()) << status.toString();
  }
  ASSERT_TRUE(writer->finish().ok());
}

/// The tensors that transformers saves for a quantised weight.
inline CheckpointTensors savedTensors(const QuantizedFixtures &fixtures, const QuantizedCase &c, const std::string &name) {
  using enum rt::SafetensorsDtype;
  CheckpointTensors out;
  const char *type = rt::textOf(c.layout.type);
  out[name] = {U8, {c.packed.size(), 1}, c.packed};
  out[name + ".quant_map"] = {F32, {16}, fixtures.bytes(std::string("map.") + type)};
  out[name + ".absmax"] = {c.layout.nested ? U8 : F32, {c.absmax.size() / (c.layout.nested ? 1 : 4)}, c.absmax};
  out[name + "." + rt::quantStateSuffix(c.layout.type)] = {U8, {c.stateText.size()}, c.stateText};
  if (c.layout.nested) {
    out[name + ".nested_absmax"] = {F32, {c.nestedAbsmax.size() / 4}, c.nestedAbsmax};
    out[name + ".nested_quant_map"] = {F32, {256}, fixtures.bytes("map.dynamic")};
  }
  return out;
}

} // namespace zp::test

#endif // ZP_TESTS_UNIT_RUNTIME_IO_QUANTIZED_FIXTURES_H

// The rules of the ops on 4-bit weights, broken one at a time.
#include "tests/conformance/quant_support.h"
#include "tests/unit/runtime/kernels/refuses.h"

namespace zp::rt::test {
namespace {

constexpr QuantRecords kFormat{QuantType::NF4, 64, true};

/// Replaces the weight by zeros of that many bytes.
template <typename Args> void resize(Args &args, Maker &maker, int64_t bytes) { args.weight = maker.workspace(static_cast<uint64_t>(bytes)); }

TEST(NF4Check, Matmul) {
  Maker maker;
  NF4MatmulArgs valid;
  valid.rows = 5, valid.columns = 6;
  setWeight(valid, makeQuantWeight(maker, kFormat, 5, 6), kFormat);
  valid.a = maker.normal(kF32, {4, 6});
  valid.bias = maker.normal(kF32, {5});
  valid.floats = maker.empty(kF32, {5, 6});
  valid.target = maker.empty(kF32, {4, 5});
  valid.transpose = true;
  valid.alpha = 1;
  const auto bytes = static_cast<int64_t>(kFormat.bytes());
  refuses<NF4MatmulArgs>(
      valid, maker,
      {{"a is f64", [](auto &x, Maker &) { x.a.dtype = DType::F64; }},
       {"a is f32[4]", [](auto &x, Maker &) { x.a.rank = 1; }},
       {"a is f32[4,5]", [](auto &x, Maker &) { shrink(x.a); }},
       {"a is f32[4,6]", [](auto &x, Maker &) { x.transpose = false; }},
       {"a is f32[4,6]", [](auto &x, Maker &) { x.columns = 5; }},
       {"bias is f32[5]", [](auto &x, Maker &) { x.rows = 4; }},
       {"bias is f32[4]", [](auto &x, Maker &) { shrink(x.bias); }},
       {"bias is bf16", [](auto &x, Maker &) { x.bias.dtype = DType::BF16; }},
       {"target is f32[4,4]", [](auto &x, Maker &) { shrink(x.target); }},
       {"target is bf16", [](auto &x, Maker &) { x.target.dtype = DType::BF16; }},
       {"workspace is f32", [](auto &x, Maker &m) { x.workspace = m.empty(kF32, {1}); }},
       {"floats is bf16", [](auto &x, Maker &) { x.floats.dtype = DType::BF16; }},
       {"floats is f32[6,5]", [](auto &x, Maker &) { std::swap(x.floats.dims[0], x.floats.dims[1]); }},
       {"floats is f32[5,5]", [](auto &x, Maker &) { shrink(x.floats); }},
       {"floats overlaps target", [](auto &x, Maker &) { x.floats.data = x.target.data; }},
       {"multiple of 64",
        [](auto &x, Maker &m) { x.workspace = m.workspace(128), x.workspace.data = x.workspace.template as<char>() + 8, x.workspace.dims[0] = 64; }},
       {"alpha", [](auto &x, Maker &) { x.alpha = INFINITY; }},
       {"weight is absent", [](auto &x, Maker &) { x.weight.data = nullptr; }},
       {"weight is f32", [](auto &x, Maker &m) { x.weight = m.empty(kF32, {x.weight.dims[0] / 4}); }},
       {"weight is u8[1,", [](auto &x, Maker &) { x.weight.rank = 2, x.weight.dims[1] = x.weight.dims[0], x.weight.dims[0] = 1; }},
       {"weight is u8[" + std::to_string(bytes - 1), [=](auto &x, Maker &m) { resize(x, m, bytes - 1); }},
       {"weight is u8[" + std::to_string(bytes + 1), [=](auto &x, Maker &m) { resize(x, m, bytes + 1); }},
       {"weight is u8[" + std::to_string(2 * bytes), [=](auto &x, Maker &m) { resize(x, m, 2 * bytes); }},
       {"weight is u8[", [](auto &x, Maker &) { x.nested = false; }},
       {"weight is u8[", [](auto &x, Maker &) { x.blockSize = 128; }},
       {"weight is u8[", [](auto &x, Maker &) { x.columns = 4096; }},
       {"multiple of 16",
        [=](auto &x, Maker &m) {
          resize(x, m, bytes + 8);
          x.weight.data = x.weight.template as<char>() + 8, x.weight.dims[0] = bytes;
        }},
       {"quant_type is 2", [](auto &x, Maker &) { x.quantType = 2; }},
       {"quant_type is -1", [](auto &x, Maker &) { x.quantType = -1; }},
       {"quant_type is 256", [](auto &x, Maker &) { x.quantType = 256; }},
       {"block_size is 0", [](auto &x, Maker &) { x.blockSize = 0; }},
       {"block_size is -64", [](auto &x, Maker &) { x.blockSize = -64; }},
       {"block_size is 16", [](auto &x, Maker &) { x.blockSize = 16; }},
       {"block_size is 96", [](auto &x, Maker &) { x.blockSize = 96; }},
       {"block_size is 8192", [](auto &x, Maker &) { x.blockSize = 8192; }},
       {"rows is 0", [](auto &x, Maker &) { x.rows = 0; }},
       {"columns is -6", [](auto &x, Maker &) { x.columns = -6; }},
       {"rows is 9223372036854775807", [](auto &x, Maker &) { x.rows = INT64_MAX; }},
       {"2^60", [](auto &x, Maker &) { x.rows = x.columns = int64_t{1} << 32; }},
       {"2^60", [](auto &x, Maker &) { x.rows = int64_t{1} << 59, x.columns = 6; }},
       {"target overlaps weight", [](auto &x, Maker &) { x.target.data = x.weight.data; }}});
  refusesBranches(valid, maker, {5, 3}, "5,3");
}

TEST(NF4Check, Dequantize) {
  Maker maker;
  NF4DequantizeArgs valid;
  setWeight(valid, makeQuantWeight(maker, kFormat, 5, 6), kFormat);
  valid.target = maker.empty(kF32, {5, 6});
  refuses<NF4DequantizeArgs>(valid, maker,
                             {{"target is f64", [](auto &x, Maker &) { x.target.dtype = DType::F64; }},
                              {"target is f32[5]", [](auto &x, Maker &) { x.target.rank = 1; }},
                              {"weight is u8[",
                               [](auto &x, Maker &m) {
                                 x.target = m.empty(kF32, {128, 129});
                               }}, // one block more than a record
                              {"weight is u8[", [](auto &x, Maker &) { x.nested = false; }},
                              {"weight is f32", [](auto &x, Maker &m) { x.weight = m.empty(kF32, {x.weight.dims[0] / 4}); }},
                              {"block_size is 48", [](auto &x, Maker &) { x.blockSize = 48; }},
                              {"quant_type is 7", [](auto &x, Maker &) { x.quantType = 7; }},
                              {"target overlaps weight", [](auto &x, Maker &) { x.target.data = x.weight.data; }}});
}

} // namespace
} // namespace zp::rt::test

// What the reader of a quant_state takes and what it refuses. Texts of the reference: reference_fixtures_test.cpp.
#include "runtime/quant/quant_state_json.h"

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

const std::string kPlain = R"({"quant_type": "nf4", "blocksize": 64, "dtype": "bfloat16", "shape": [300, 50]})";
const std::string kNested = R"({"quant_type": "nf4", "blocksize": 64, "dtype": "bfloat16", "shape": [300, 64], "nested_blocksize": 256, )"
                            R"("nested_dtype": "float32", "nested_offset": 0.05810278654098511})";

StatusOr<QuantState> read(const std::string &text, QuantType type = QuantType::NF4) { return readQuantState("m.safetensors: tensor q", text, type); }
std::string replaced(std::string text, const std::string &from, const std::string &to) { return text.replace(text.find(from), from.size(), to); }
void expectRefused(const std::string &text, ErrorCode code, const std::string &message) {
  auto state = read(text);
  ASSERT_FALSE(state.ok()) << text;
  EXPECT_EQ(state.status().code(), code) << text;
  EXPECT_EQ(state.status().message().find("m.safetensors: tensor q: " + message), 0u) << state.status().message();
}

TEST(QuantStateJson, Reads) {
  auto state = read(kNested);
  ASSERT_TRUE(state.ok()) << state.status().toString();
  EXPECT_EQ(*state, (QuantState{{QuantType::NF4, 64}, DType::BF16, {300, 64}, 0.058102787f}));
  EXPECT_EQ(writeQuantState(*state), kNested);
  auto loose = read(" {\"shape\":[300,50],\"dtype\":\"bfloat16\",\"blocksize\":64,\"quant_type\":\"nf4\"}\n");
  ASSERT_TRUE(loose.ok()) << loose.status().toString();
  EXPECT_EQ(writeQuantState(*loose), kPlain);
  EXPECT_EQ(quantStateSuffix(QuantType::FP4), "quant_state.bitsandbytes__fp4");
}

TEST(QuantStateJson, RefusesDamage) {
  for (const char *text : {"", "[]", "{", "null", "{\"quant_type\": \"nf4\",}", "\xff"})
    expectRefused(text, ErrorCode::Json, "is not a JSON object");
  expectRefused(replaced(kNested, "0.05810278654098511", "NaN"), ErrorCode::Json, "is not a JSON object");
  expectRefused("{\"shape\": " + std::string(200000, '[') + std::string(200000, ']') + "}", ErrorCode::Json, "is not a JSON object");
}

TEST(QuantStateJson, RefusesMissingUnknownAndRepeatedKeys) {
  expectRefused("{}", ErrorCode::QuantState, "has no \"quant_type\"");
  expectRefused(replaced(kPlain, "\"blocksize\": 64, ", ""), ErrorCode::QuantState, "has no \"blocksize\"");
  expectRefused(replaced(kNested, "\"nested_dtype\": \"float32\", ", ""), ErrorCode::QuantState, "has no \"nested_dtype\"");
  expectRefused(replaced(kPlain, "{", "{\"code\": 1, "), ErrorCode::QuantState, "has the unknown key \"code\"");
  expectRefused(replaced(kPlain, "{", "{\"blocksize\": 128, "), ErrorCode::QuantState, "has the key \"blocksize\" twice");
}

TEST(QuantStateJson, RefusesValues) {
  auto bad = [](const std::string &from, const std::string &to, const std::string &message) {
    expectRefused(replaced(kNested, from, to), ErrorCode::QuantState, message);
  };
  bad("\"nf4\"", "\"fp4\"", "quant_type is \"fp4\", expected \"nf4\" as in the tensor's name");
  bad("\"nf4\"", "\"int8\"", "quant_type is \"int8\", expected \"nf4\"");
  for (const char *size : {"0", "16", "63", "8192", "-64", "64.0", "\"64\"", "null"})
    bad("64", size, std::string("blocksize is ") + size + ", expected a power of two from 32 to 4096");
  bad("bfloat16", "float64", "dtype is \"float64\", expected \"float32\", \"bfloat16\" or \"float16\"");
  for (const char *shape : {"null", "[]", "[300,0]", "[300,-1]", "[300,1.5]", "300", "[4294967296,4294967296]"})
    bad("[300, 64]", shape, std::string("shape is ") + shape + ", expected a list of positive integers");
  bad("256", "128", "nested_blocksize is 128, expected 256");
  bad("\"float32\"", "\"bfloat16\"", "nested_dtype is \"bfloat16\", expected \"float32\"");
  bad("0.05810278654098511", "\"x\"", "nested_offset is \"x\", expected a finite number");
  bad("0.05810278654098511", "1e39", "nested_offset is 1e+39, expected a finite number");
}

TEST(QuantStateJson, ComparesTensors) {
  auto plain = *read(kPlain), nested = *read(kNested);
  const QuantTensorSizes forPlain{7500, 235, false, 0, 16, 0}, forNested{9600, 300, true, 2, 16, 256};
  EXPECT_TRUE(checkQuantTensors("t", plain, forPlain).ok());
  EXPECT_TRUE(checkQuantTensors("t", nested, forNested).ok());
  auto refused = [&](auto change, const std::string &message) {
    QuantTensorSizes sizes = forNested;
    change(sizes);
    Status status = checkQuantTensors("m: tensor q", nested, sizes);
    EXPECT_EQ(status.code(), ErrorCode::QuantState);
    EXPECT_EQ(status.message().find("m: tensor q: " + message), 0u) << status.message();
  };
  refused([](auto &s) { ++s.packedBytes; }, "the packed weight has 9601 bytes, expected 9600 for shape [300,64]");
  refused([](auto &s) { --s.scales; }, "absmax has 299 elements, expected 300");
  refused([](auto &s) { s.quantMap = 0; }, "quant_map has 0 elements, expected 16");
  refused([](auto &s) { s.nestedScales = 1; }, "nested_absmax has 1 elements, expected 2");
  refused([](auto &s) { s.nestedQuantMap = 255; }, "nested_quant_map has 255 elements, expected 256");
  refused([](auto &s) { s.scalesAreCodes = false; }, "absmax is f32, expected u8, for nested_offset is given");
  EXPECT_NE(checkQuantTensors("t", plain, forNested).message().find("expected f32, for no nested_offset is given"), std::string::npos);
  QuantTensorSizes spare = forPlain;
  spare.nestedScales = 1;
  EXPECT_FALSE(checkQuantTensors("t", plain, spare).ok());
}

} // namespace
} // namespace zp::rt

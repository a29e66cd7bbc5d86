// The reader's rejection list, one case a rule, and what it must accept.
#include "runtime/io/safetensors.h"

#include <gtest/gtest.h>

#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp::rt {
namespace {

std::string fileOf(const std::string &header, const std::string &data = "") {
  std::string length(8, '\0');
  for (int i = 0; i < 8; ++i)
    length[static_cast<size_t>(i)] = static_cast<char>(header.size() >> (8 * i));
  return length + header + data;
}

struct Case {
  const char *name;
  std::string content;
  const char *says; // part of the message; null: accepted
};

std::string nested(int depth) {
  return R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":)" + std::string(static_cast<size_t>(depth), '[') +
         std::string(static_cast<size_t>(depth), ']') + "}}";
}

std::vector<Case> cases() {
  const std::string a = R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  return {
      {"short_file", "1234567", "expected at least 8"},
      {"length_beyond_file", fileOf("{}").substr(0, 9), "truncated"},
      {"length_over_limit", std::string("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10), "truncated"},
      {"not_json", fileOf("{\"a\""), "not a JSON object"},
      {"not_an_object", fileOf("[]"), "not a JSON object"},
      {"not_utf8", fileOf("{\"\xff\":1}"), "not a JSON object"},
      {"lone_surrogate", fileOf(R"({"\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"), "not a JSON object"},
      {"control_character", fileOf("{\"a\nb\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}"), "not a JSON object"},
      {"byte_order_mark", fileOf("\xEF\xBB\xBF{}"), "byte order mark"},
      {"nul_padding", fileOf(std::string("{}\0\0", 4)), "NUL"},
      {"bytes_after_object", fileOf("{} x"), "not a JSON object"},
      {"too_deep", fileOf(nested(127)), "nests deeper"},
      {"hole", fileOf(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})", "xyz"),
       "tensor b: data begin at 2, expected 1"},
      {"overlap", fileOf(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})", "xyz"),
       "tensor b: data begin at 1, expected 2"},
      {"first_not_at_zero", fileOf(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", "xy"), "data begin at 1, expected 0"},
      {"end_before_begin", fileOf(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[1,0]}})", "x"), "end before they begin"},
      {"zero_size_inside",
       fileOf(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}})", "xy"),
       "tensor b: data begin at 1, expected 2"},
      {"shape_overflow", fileOf(R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})"), "overflows"},
      {"overflow_beside_zero", fileOf(R"({"a":{"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}})"), "overflows"},
      {"bits_overflow", fileOf(R"({"a":{"dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,0]}})"), "overflows"},
      {"half_a_byte", fileOf(R"({"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}})", "x"), "whole number of bytes"},
      {"span_differs", fileOf(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "abcd"), "span 4 bytes, expected 8"},
      {"data_truncated", fileOf("{" + a + "}", "abc"), "tensor a: data end at 4, but the file holds 3"},
      {"data_left_over", fileOf("{" + a + "}", "abcde"), "holds 5 bytes of data, expected 4"},
      {"unknown_dtype", fileOf(R"({"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}})", "abcd"), "tensor a: dtype \"f32\" is not known"},
      {"metadata_number", fileOf(R"({"__metadata__":{"a":1}})"), "__metadata__.a is not a string"},
      {"metadata_list", fileOf(R"({"__metadata__":[]})"), "__metadata__ is not an object"},
      {"no_dtype", fileOf(R"({"a":{"shape":[0],"data_offsets":[0,0]}})"), "has no dtype"},
      {"no_shape", fileOf(R"({"a":{"dtype":"U8","data_offsets":[0,0]}})"), "has no shape"},
      {"no_offsets", fileOf(R"({"a":{"dtype":"U8","shape":[0]}})"), "has no data_offsets"},
      {"two_dtypes", fileOf(R"({"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}})"), "\"dtype\" appears twice"},
      {"two_metadata", fileOf(R"({"__metadata__":{},"__metadata__":{}})"), "appears twice"},
      {"two_tensors", fileOf(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"),
       "\"a\" appears twice"},
      {"two_metadata_keys", fileOf(R"({"__metadata__":{"k":"1","k":"2"}})"), "appears twice"},
      {"negative_dim", fileOf(R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}})"), "holds -1"},
      {"float_dim", fileOf(R"({"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}})", "x"), "holds 1.0"},
      {"three_offsets", fileOf(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0,0]}})"), "two whole numbers"},
      {"entry_is_text", fileOf(R"({"a":"U8"})"), "not an object"},
      {"empty", fileOf("{}"), nullptr},
      {"whitespace", fileOf(" \n{}\t "), nullptr},
      {"deep_enough", fileOf(nested(126)), nullptr},
      {"extra_field", fileOf(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":{"y":1}}})"), nullptr},
      {"entry_as_array", fileOf(R"({"a":["U8",[1],[0,1]]})", "x"), nullptr},
      {"metadata_null", fileOf(R"({"__metadata__":null})"), nullptr},
      {"empty_name", fileOf(R"({"":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"), nullptr},
      {"any_order", fileOf(R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}})", "xy"),
       nullptr},
  };
}

class SafetensorsRules : public testing::TestWithParam<Case> {};

TEST_P(SafetensorsRules, Hold) {
  zp::test::TemporaryDirectory directory;
  std::string path = directory.write("t.safetensors", GetParam().content);
  auto file = SafetensorsFile::open(path);
  if (!GetParam().says) {
    EXPECT_TRUE(file.ok()) << file.status().toString();
    return;
  }
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.status().code(), ErrorCode::Safetensors);
  EXPECT_NE(file.status().message().find(GetParam().says), std::string::npos) << file.status().message();
  EXPECT_EQ(file.status().message().find(path), 0u) << file.status().message();
  EXPECT_EQ(file.status().message().find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(All, SafetensorsRules, testing::ValuesIn(cases()), [](auto &info) { return info.param.name; });

TEST(SafetensorsFile, MissingFileIsNamed) {
  auto file = SafetensorsFile::open("/nowhere/model.safetensors");
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.status().code(), ErrorCode::FileMissing);
}

TEST(SafetensorsFile, GivesBytesThatComeBackAfterRelease) {
  zp::test::TemporaryDirectory directory;
  std::string data(100000, 'x');
  data[50000] = 'y';
  auto file =
      SafetensorsFile::open(directory.write("t.safetensors", fileOf(R"({"a":{"dtype":"U8","shape":[100000],"data_offsets":[0,100000]}})", data)));
  ASSERT_TRUE(file.ok());
  const SafetensorsInfo *a = (*file)->find("a");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ((*file)->find("b"), nullptr);
  (*file)->release(*a, 0, a->bytes);
  EXPECT_EQ(static_cast<char>((*file)->data(*a)[50000]), 'y');
}

} // namespace
} // namespace zp::rt

// The writer's bytes against the reference library's, and what is left behind when it fails.
#include "runtime/io/safetensors_writer.h"

#include <csignal>
#include <sys/resource.h>

#include <gtest/gtest.h>

#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp::rt {
namespace {

// python3 -c '
//   import torch; from safetensors.torch import save
//   f = torch.float32
//   print(save({"b.weight": torch.arange(6, dtype=f).reshape(2, 3), "a": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
//     "quote\"back\\slash\t\x01é/": torch.tensor([True, False, True]), "ids": torch.tensor([7]), "empty": torch.zeros(0, 4),
//     "scalar": torch.tensor(3.0), "h": torch.tensor([1.0], dtype=torch.float16), "u": torch.tensor([255, 1], dtype=torch.uint8)},
//     metadata={"format": "pt"}).hex())'          # safetensors 0.8.0
const char *const kReference = "08020000000000007b225f5f6d657461646174615f5f223a7b22666f726d6174223a227074227d2c22696473223a7b226474797065223a22"
                               "493634222c227368617065223a5b315d2c22646174615f6f666673657473223a5b302c385d7d2c22622e776569676874223a7b2264747970"
                               "65223a22463332222c227368617065223a5b322c335d2c22646174615f6f666673657473223a5b382c33325d7d2c22656d707479223a7b22"
                               "6474797065223a22463332222c227368617065223a5b302c345d2c22646174615f6f666673657473223a5b33322c33325d7d2c227363616c"
                               "6172223a7b226474797065223a22463332222c227368617065223a5b5d2c22646174615f6f666673657473223a5b33322c33365d7d2c2261"
                               "223a7b226474797065223a2242463136222c227368617065223a5b325d2c22646174615f6f666673657473223a5b33362c34305d7d2c2268"
                               "223a7b226474797065223a22463136222c227368617065223a5b315d2c22646174615f6f666673657473223a5b34302c34325d7d2c227522"
                               "3a7b226474797065223a225538222c227368617065223a5b325d2c22646174615f6f666673657473223a5b34322c34345d7d2c2271756f74"
                               "655c226261636b5c5c736c6173685c745c7530303031c3a92f223a7b226474797065223a22424f4f4c222c227368617065223a5b335d2c22"
                               "646174615f6f666673657473223a5b34342c34375d7d7d200700000000000000000000000000803f0000004000004040000080400000a040"
                               "00004040c03f00c0003cff01010001";

std::string hex(const std::string &bytes) {
  std::string out;
  for (unsigned char c : bytes) {
    out += "0123456789abcdef"[c >> 4];
    out += "0123456789abcdef"[c & 15];
  }
  return out;
}

TEST(SafetensorsWriter, WritesTheReferencesBytes) {
  zp::test::TemporaryDirectory directory;
  const std::string odd = "quote\"back\\slash\t\x01\xc3\xa9/";
  using D = SafetensorsDtype;
  std::vector<SafetensorsEntry> entries = {{"scalar", D::F32, {}},       {odd, D::BOOL, {3}},  {"a", D::BF16, {2}}, {"empty", D::F32, {0, 4}},
                                           {"b.weight", D::F32, {2, 3}}, {"ids", D::I64, {1}}, {"h", D::F16, {1}},  {"u", D::U8, {2}}};
  SafetensorsWriter::Metadata metadata = {{"format", "pt"}};
  auto writer = SafetensorsWriter::create(directory.file("t.safetensors"), entries, &metadata);
  ASSERT_TRUE(writer.ok()) << writer.status().toString();
  float b[6] = {0, 1, 2, 3, 4, 5}, scalar = 3;
  int64_t id = 7;
  auto put = [&](const std::string &name, uint64_t offset, const void *data, uint64_t bytes) {
    Status status = writer->write(name, offset, data, bytes);
    EXPECT_TRUE(status.ok()) << status.toString();
  };
  put(odd, 0, "\1\0\1", 3);
  put("b.weight", 12, b + 3, 12); // pieces, out of order
  put("b.weight", 0, b, 12);
  put("scalar", 0, &scalar, 4);
  put("a", 0, "\xc0\x3f\x00\xc0", 4);
  put("ids", 0, &id, 8);
  put("h", 0, "\x00\x3c", 2);
  put("u", 0, "\xff\x01", 2);
  EXPECT_EQ(directory.read("t.safetensors"), "") << "the name must not exist before finish()";
  Status done = writer->finish();
  ASSERT_TRUE(done.ok()) << done.toString();
  EXPECT_EQ(hex(directory.read("t.safetensors")), kReference);
  EXPECT_EQ(directory.files(), 1u);
}

TEST(SafetensorsWriter, RefusesToFinishHalfAFile) {
  zp::test::TemporaryDirectory directory;
  {
    auto writer = SafetensorsWriter::create(directory.file("t.safetensors"), {{"a", SafetensorsDtype::U8, {4}}}, nullptr);
    ASSERT_TRUE(writer.ok());
    EXPECT_TRUE(writer->write("a", 0, "xyz", 3).ok());
    EXPECT_FALSE(writer->write("a", 2, "xyz", 3).ok()) << "beyond the tensor";
    EXPECT_FALSE(writer->write("b", 0, "x", 1).ok()) << "not declared";
    EXPECT_FALSE(writer->finish().ok());
  }
  EXPECT_EQ(directory.files(), 0u) << "nothing is left behind";
}

TEST(SafetensorsWriter, NamesAPlaceThatCannotBeWritten) {
  auto writer = SafetensorsWriter::create("/nowhere/t.safetensors", {}, nullptr);
  ASSERT_FALSE(writer.ok());
  EXPECT_EQ(writer.status().code(), ErrorCode::DiskWrite);
  EXPECT_EQ(writer.status().message().find("/nowhere/t.safetensors: "), 0u);
}

TEST(SafetensorsWriter, SaysThatTheDiskIsFull) {
  // A limit on file sizes stands in for a full disk: the same code path, an errno that means "no room".
  zp::test::TemporaryDirectory directory;
  struct rlimit before, small;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  small = before;
  small.rlim_cur = 4096;
  auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  Status status;
  {
    auto writer = SafetensorsWriter::create(directory.file("t.safetensors"), {{"a", SafetensorsDtype::U8, {8192}}}, nullptr);
    status = writer.ok() ? writer->write("a", 0, std::string(8192, 'x').data(), 8192) : writer.status();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, ignored);
  EXPECT_EQ(status.code(), ErrorCode::DiskFull) << status.toString();
  EXPECT_EQ(exitCodeOf(status.code()), 7);
  EXPECT_EQ(directory.files(), 0u);
}

} // namespace
} // namespace zp::rt

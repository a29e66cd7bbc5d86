// Damaged configuration files: whatever they hold, the answer is a result or one coded line, never a crash. Run under
// the sanitizers the same program finds more.
#include <random>

#include "frontends/accelerate/AccelerateConfig.h"
#include "frontends/accelerate/DsConfig.h"
#include "runtime/base/text_file.h"
#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;

namespace {

const char *const kJson = R"({"train_batch_size": "auto", "bf16": {"enabled": true}, "optimizer": {"type": "AdamW",
  "params": {"lr": 1e-4, "betas": [0.9, 0.999]}}, // about
  "zero_optimization": {"stage": 3, "overlap_comm": true, "offload_param": {"device": "none"}, "reduce_bucket_size": 5e8}})";

std::string mutated(std::string text, std::mt19937 &random) {
  const char *const pieces[] = {"{",    "}",    "[",    "]",        ":",  ": ", "\n",       "&a ", "*a",    "!!str ", "- ",
                                "'",    "\"",   "#",    "/*",       "//", "? ", "| ",       "> ",  "9e999", "-1",     "99999999999999999999",
                                "true", "null", "auto", "\xff\xfe", "\t", "%",  "<<: *a\n", ","};
  for (unsigned changes = 1 + random() % 4; changes; --changes) {
    size_t at = text.empty() ? 0 : random() % text.size();
    switch (random() % 4) {
    case 0:
      text.insert(at, pieces[random() % std::size(pieces)]);
      break;
    case 1:
      text.erase(at, 1 + random() % 12);
      break;
    case 2:
      text.insert(at, text.substr(random() % (text.size() + 1), random() % 40));
      break;
    default:
      if (!text.empty())
        text[at] = static_cast<char>(random());
    }
  }
  return text;
}

/// A file put in the place of another is synced by some file systems; one that is made anew isn't.
std::string written(const test::TemporaryFolder &folder, const std::string &name, const std::string &text) {
  std::filesystem::remove(folder.path + "/" + name);
  return folder.write(name, text);
}

void check(const Status &status, const std::string &text, int &refused) {
  if (status.ok())
    return;
  ++refused;
  EXPECT_TRUE(status.code() == ErrorCode::Config || status.code() == ErrorCode::UnknownKey || status.code() == ErrorCode::FileMissing)
      << status.toString();
  EXPECT_EQ(status.message().find('\n'), std::string::npos) << status.message() << "\nof\n" << text;
  EXPECT_NE(status.message().find("; "), std::string::npos) << "no fix: " << status.message();
}

} // namespace

TEST(Mutation, yaml) {
  test::TemporaryFolder folder;
  std::mt19937 random(1);
  int refused = 0;
  for (const char *name : {"deepspeed_config.yaml", "accelerate_ds_zero3_cpu_offload_config.yaml"}) {
    StatusOr<std::string> text = readTextFile(std::string(ZP_TESTS) + "/../samples/configs/" + name);
    ASSERT_TRUE(text.ok());
    for (int i = 0; i < 1500; ++i) {
      std::string damaged = mutated(*text, random), path = written(folder, "c.yaml", damaged);
      check(test::statusOf(readAccelerateConfig(path)), damaged, refused);
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(Mutation, json) {
  test::TemporaryFolder folder;
  std::mt19937 random(2);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = mutated(kJson, random), path = written(folder, "ds.json", damaged);
    JobConfig config;
    check(readDsConfig(path, config), damaged, refused);
  }
  EXPECT_GT(refused, 1000);
}

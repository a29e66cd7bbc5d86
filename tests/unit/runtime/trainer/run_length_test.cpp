// How many updates settings and data make, and which settings make none.
#include "runtime/trainer/run_length.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/io/safetensors_writer.h"
#include "runtime/schema/run_rules.h"
#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp::rt {
namespace {

/// Rows of two tokens, all of them 0.
StatusOr<TokenDataset> rowsOf(const test::TemporaryDirectory &directory, uint64_t rows) {
  std::vector<SafetensorsEntry> entries;
  for (const char *name : kDecoderColumns)
    entries.push_back({name, SafetensorsDtype::I32, {rows, 2}});
  const std::string path = directory.file("t.safetensors");
  const std::vector<int32_t> zeros(rows * 2);
  ZP_ASSIGN_OR_RETURN(SafetensorsWriter writer, SafetensorsWriter::create(path, entries, nullptr));
  for (const char *name : kDecoderColumns)
    ZP_RETURN_IF_ERROR(writer.write(name, 0, zeros.data(), zeros.size() * sizeof(int32_t)));
  ZP_RETURN_IF_ERROR(writer.finish());
  return TokenDataset::open(path, 2, 1);
}

JobSettings settings(int64_t batch, int64_t accumulation, double epochs) {
  JobSettings s;
  s.per_device_train_batch_size = batch;
  s.gradient_accumulation_steps = accumulation;
  s.num_train_epochs = epochs;
  return s;
}

TEST(RunLength, CountsUpdatesByEpochsOrByName) {
  test::TemporaryDirectory directory;
  StatusOr<TokenDataset> data = rowsOf(directory, 11);
  ASSERT_TRUE(data.ok()) << data.status().toString();
  JobSettings s = settings(2, 1, 1.5); // 3 rounds of an epoch on 2 ranks
  EXPECT_EQ(*updatesInAll(s, *data, 2), 5u);
  s.max_steps = 7;
  s.num_train_epochs = std::nan("");
  EXPECT_EQ(*updatesInAll(s, *data, 2), 7u) << "epochs are void beside max_steps";
}

TEST(RunLength, RefusesEpochsThatAreNoCount) {
  test::TemporaryDirectory directory;
  StatusOr<TokenDataset> data = rowsOf(directory, 11);
  ASSERT_TRUE(data.ok()) << data.status().toString();
  for (double epochs : {0.0, -1.0, std::nan(""), double(INFINITY), 1e300}) {
    StatusOr<uint64_t> updates = updatesInAll(settings(2, 1, epochs), *data, 2);
    ASSERT_FALSE(updates.ok()) << epochs;
    EXPECT_NE(updates.status().message().find("--num_train_epochs: is "), std::string::npos) << updates.status().message();
  }
  EXPECT_TRUE(updatesInAll(settings(2, 1, 1 << 30), *data, 2).ok());
}

TEST(RunLength, BoundsTheRowsOfAnUpdate) {
  test::TemporaryDirectory directory;
  StatusOr<TokenDataset> data = rowsOf(directory, 11);
  ASSERT_TRUE(data.ok()) << data.status().toString();
  constexpr int64_t kMost = 1 << 30;
  struct {
    int64_t batch, accumulation;
    int ranks;
    const char *flag; // null: it is sound
  } cases[] = {{kMost, 1, 1, nullptr},
               {1, kMost, 1, nullptr},
               {1 << 15, 1 << 14, 2, nullptr},
               {0, 1, 1, "--per_device_train_batch_size: is 0,"},
               {1, 0, 1, "--gradient_accumulation_steps: is 0,"},
               {kMost + 1, 1, 1, "--per_device_train_batch_size: is 1073741825,"},
               {int64_t{1} << 32, 1, 1, "--per_device_train_batch_size: is 4294967296,"},
               {1, int64_t{1} << 32, 1, "--gradient_accumulation_steps: is 4294967296,"},
               {1 << 15, 1 << 14, 3, "--gradient_accumulation_steps: is 16384 beside --per_device_train_batch_size 32768 on 3 ranks"},
               {kMost, kMost, 1 << 20, "--gradient_accumulation_steps: is 1073741824 beside"}}; // 2^80
  for (auto &[batch, accumulation, ranks, flag] : cases) {
    const JobSettings s = settings(batch, accumulation, 1);
    for (const Status &said : {verifyUpdateSize(s, static_cast<uint64_t>(ranks)), updatesInAll(s, *data, ranks).status()})
      EXPECT_EQ(said.message().substr(0, flag ? std::string(flag).size() : 1), flag ? flag : "") << batch << " " << accumulation << " " << ranks;
  }
}

} // namespace
} // namespace zp::rt

// What must agree and what may differ.
#include "runtime/trainer/checkpoint_identity.h"

#include <functional>

#include <gtest/gtest.h>

#include "runtime/io/safetensors_writer.h"
#include "runtime/schema/plan_generated.h"
#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp::rt {
namespace {

struct Job {
  uint32_t ranks = 1;
  JobSettings settings;
  std::string modelConfig = R"({"hidden_size": 3, "transformers_version": "5.1"})", adapterConfig = R"({"r": 8})", trained = "a";
  std::vector<float> weights = std::vector<float>(5000, 1.0f);
  std::vector<int32_t> tokens = std::vector<int32_t>(8 * 4, 7);
};

class Identity : public testing::Test {
protected:
  CheckpointIdentity of(const Job &job) {
    test::TemporaryDirectory directory;
    const auto rows = job.tokens.size() / 4;
    auto base = SafetensorsWriter::create(directory.file("model.safetensors"), {{"w", SafetensorsDtype::F32, {job.weights.size()}}}, nullptr);
    EXPECT_TRUE(base->write("w", 0, job.weights.data(), job.weights.size() * 4).ok());
    EXPECT_TRUE(base->finish().ok());
    std::vector<SafetensorsEntry> columns;
    for (const char *name : kDecoderColumns)
      columns.push_back({name, SafetensorsDtype::I32, {rows, 4}});
    auto data = SafetensorsWriter::create(directory.file("t.safetensors"), columns, nullptr);
    std::vector<int32_t> positions, segments(rows * 4, 0);
    for (size_t i = 0; i < rows * 4; ++i)
      positions.push_back(static_cast<int32_t>(i % 4));
    const std::vector<int32_t> *contents[] = {&job.tokens, &job.tokens, &positions, &segments};
    for (size_t c = 0; c < 4; ++c)
      EXPECT_TRUE(data->write(kTokenColumns[c], 0, contents[c]->data(), rows * 16).ok());
    EXPECT_TRUE(data->finish().ok());
    flatbuffers::FlatBufferBuilder b;
    std::vector<int64_t> shape = {static_cast<int64_t>(job.weights.size())};
    std::vector<flatbuffers::Offset<fbs::Parameter>> frozen = {fbs::CreateParameterDirect(b, "w", "w", "", &shape, 0)};
    std::vector<flatbuffers::Offset<fbs::Parameter>> trained = {fbs::CreateParameterDirect(b, job.trained.c_str(), "", "saved", &shape, 0)};
    std::vector<flatbuffers::Offset<fbs::Section>> sections = {
        fbs::CreateSectionDirect(b, "f", 0, fbs::SectionKind::Frozen, 0, 5000, false, false, false, 0, &frozen),
        fbs::CreateSectionDirect(b, "t", 0, fbs::SectionKind::Trainable, 0, 5000, false, false, false, 0, &trained)};
    b.Finish(fbs::CreatePlanDirect(b, job.ranks, "cpu", nullptr, job.adapterConfig.c_str(), job.modelConfig.c_str(), 100, 0, nullptr, nullptr,
                                   nullptr, &sections));
    auto dataset = TokenDataset::open(directory.file("t.safetensors"), 4, 100);
    EXPECT_TRUE(dataset.ok()) << dataset.status().toString();
    if (!dataset.ok())
      return {};
    auto identity = identityOf(*flatbuffers::GetRoot<fbs::Plan>(b.GetBufferPointer()), job.settings, *dataset, directory.path);
    EXPECT_TRUE(identity.ok()) << identity.status().toString();
    return identity.ok() ? *identity : CheckpointIdentity();
  }
  /// The key that a refusal names; empty when the two agree.
  std::string difference(const std::function<void(Job &)> &edit) {
    Job job;
    job.settings.per_device_train_batch_size = 4;
    CheckpointIdentity before = of(job);
    edit(job);
    Status status = sameIdentity("checkpoint.json", before, of(job));
    if (status.ok())
      return "";
    EXPECT_EQ(status.code(), ErrorCode::CheckpointMismatch);
    std::string rest = status.message().substr(std::string("checkpoint.json: ").size());
    return rest.substr(0, rest.find(": "));
  }
};

TEST_F(Identity, WhereAndHowFastMayDiffer) {
  EXPECT_EQ(difference([](Job &) {}), "");
  EXPECT_EQ(difference([](Job &j) { j.ranks = 2, j.settings.num_processes = 2, j.settings.per_device_train_batch_size = 2; }), "");
  EXPECT_EQ(difference([](Job &j) { j.settings.per_device_train_batch_size = 1, j.settings.gradient_accumulation_steps = 4; }), "");
  EXPECT_EQ(difference([](Job &j) {
              j.settings.zero_stage = 0, j.settings.stage3_param_persistence_threshold = 1, j.settings.rematerialize = "block",
              j.settings.rematerialize_blocks = 1, j.settings.prefetch_distance = 2, j.settings.reduce_gradients = "step",
              j.settings.dequant_cache_bytes = 1 << 20;
            }),
            "");
  EXPECT_EQ(difference([](Job &j) {
              j.settings.logging_steps = 7, j.settings.save_steps = 3, j.settings.save_strategy = "no", j.settings.save_total_limit = 4;
            }),
            "");
  EXPECT_EQ(difference([](Job &j) { j.settings.max_steps = 6, j.settings.num_train_epochs = 99; }), "") << "the same length, said in another way";
  EXPECT_EQ(difference([](Job &j) { j.modelConfig = R"({"transformers_version":"5.2","hidden_size":3})"; }), "");
  EXPECT_EQ(difference([](Job &j) { j.adapterConfig = R"({"r": 8, "base_model_name_or_path": "elsewhere"})"; }), "");
}

TEST_F(Identity, WhatIsTrainedMayNot) {
  EXPECT_EQ(difference([](Job &j) { j.settings.learning_rate = 1e-3; }), "learning_rate");
  EXPECT_EQ(difference([](Job &j) { j.settings.seed = 43; }), "seed");
  EXPECT_EQ(difference([](Job &j) { j.settings.bf16 = true; }), "bf16");
  EXPECT_EQ(difference([](Job &j) { j.settings.lr_scheduler_type = "cosine"; }), "lr_scheduler_type");
  EXPECT_EQ(difference([](Job &j) { j.settings.lr_scheduler_type = "polynomial", j.settings.lr_scheduler_kwargs = "{\"power\": 2}"; }),
            "lr_scheduler_kwargs");
  EXPECT_EQ(difference([](Job &j) { j.settings.per_device_train_batch_size = 2; }), "rows of an update");
  EXPECT_EQ(difference([](Job &j) { j.settings.max_steps = 7; }), "updates in all");
  EXPECT_EQ(difference([](Job &j) { j.tokens[31] = 8; }), "data set");
  EXPECT_EQ(difference([](Job &j) { j.trained = "b"; }), "trained parameters");
  EXPECT_EQ(difference([](Job &j) { j.modelConfig = R"({"hidden_size": 4})"; }), "model's config.json");
  EXPECT_EQ(difference([](Job &j) { j.adapterConfig = R"({"r": 8, "use_rslora": true})"; }), "adapter_config.json");
  EXPECT_EQ(difference([](Job &j) { j.weights[0] = 2; }), "base model's weights");
  EXPECT_EQ(difference([](Job &j) { j.weights[4999] = 2; }), "base model's weights");
  EXPECT_EQ(difference([](Job &j) { j.weights.pop_back(); }), "base model's weights");
}

TEST_F(Identity, ARoundMattersOnlyWhereRowsAreLeftOut) {
  auto cut = [](Job &j) {
    j.settings.per_device_train_batch_size = 2, j.settings.gradient_accumulation_steps = 2, j.settings.dataloader_drop_last = true;
  };
  Job job;
  job.settings.per_device_train_batch_size = 4;
  job.settings.dataloader_drop_last = true;
  CheckpointIdentity before = of(job);
  cut(job);
  EXPECT_NE(sameIdentity("x", before, of(job)).message().find("rows of a round"), std::string::npos);
}

TEST_F(Identity, ASettingThatOneSideDoesNotKnowHasItsDefault) {
  CheckpointIdentity run = of(Job()), older = run;
  older.erase("use_rslora");
  EXPECT_TRUE(sameIdentity("x", older, run).ok());
  older.erase("data set");
  EXPECT_FALSE(sameIdentity("x", older, run).ok());
  CheckpointIdentity later = run;
  later["some_new_setting"] = "true";
  EXPECT_NE(sameIdentity("x", later, run).message().find("some_new_setting: is true"), std::string::npos);
  later.erase("some_new_setting");
  later["save_only_model"] = "true";
  EXPECT_TRUE(sameIdentity("x", later, run).ok());
}

} // namespace
} // namespace zp::rt

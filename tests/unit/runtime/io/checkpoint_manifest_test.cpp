// A manifest says what was there; nothing else passes for it.
#include "runtime/io/checkpoint_manifest.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <xxhash.h>

#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp::rt {
namespace {

using nlohmann::json;

/// The seal as the header's comment defines it, made here anew.
std::string sealed(json body) {
  body.erase("xxh64");
  std::string text = body.dump();
  char seal[17];
  std::snprintf(seal, sizeof seal, "%016llx", static_cast<unsigned long long>(XXH64(text.data(), text.size(), 0)));
  body["xxh64"] = seal;
  return body.dump(1);
}

class Manifest : public testing::Test {
protected:
  void SetUp() override {
    directory.write("a.bin", "the first file");
    directory.write("b.bin", std::string(3000000, 'b'));
    manifest.identity = {{"learning_rate", "1e-08"}, {"data set", "\"12 rows\""}};
    manifest.progress = {{"loss", 0.1 + 0.2}};
    manifest.step = (1ull << 53) + 1; // no double is that number
    manifest.tokens = 77;
    auto files = describeFiles(directory.path);
    ASSERT_TRUE(files.ok());
    manifest.files = *files;
    directory.write(kManifestName, manifestText(manifest));
  }
  Status read() {
    auto found = readManifest(directory.path);
    return found.ok() ? checkFiles(directory.path, *found, true) : found.status();
  }
  void refused(const std::string &file, const std::string &content, ErrorCode code = ErrorCode::Checkpoint) {
    std::string before = directory.read(file);
    directory.write(file, content);
    Status status = read();
    EXPECT_EQ(status.code(), code) << status.toString();
    EXPECT_EQ(status.message().find(directory.file(file) + ": "), 0u) << status.message();
    directory.write(file, before);
  }
  zp::test::TemporaryDirectory directory;
  CheckpointManifest manifest;
};

TEST_F(Manifest, ComesBackAsItWas) {
  auto found = readManifest(directory.path);
  ASSERT_TRUE(found.ok()) << found.status().toString();
  EXPECT_EQ(found->identity, manifest.identity);
  EXPECT_EQ(found->progress, manifest.progress);
  EXPECT_EQ(found->step, manifest.step);
  EXPECT_EQ(found->tokens, 77u);
  ASSERT_EQ(found->files.size(), 2u);
  EXPECT_EQ(found->files[0].name, "a.bin");
  EXPECT_EQ(found->files[0].bytes, 14u);
  EXPECT_EQ(found->files[1].checksum, XXH64(std::string(3000000, 'b').data(), 3000000, 0));
  EXPECT_TRUE(read().ok());
  EXPECT_EQ(sealed(json::parse(directory.read(kManifestName))), json::parse(directory.read(kManifestName)).dump(1));
}

TEST_F(Manifest, WhatIsKnownIsNotRead) {
  auto files = describeFiles(directory.path, {{"b.bin", 7, 8}, {"elsewhere", 1, 2}});
  ASSERT_TRUE(files.ok());
  ASSERT_EQ(files->size(), 2u);
  EXPECT_EQ((*files)[0].bytes, 14u);
  EXPECT_EQ((*files)[1].name, "b.bin");
  EXPECT_EQ((*files)[1].bytes, 7u);
  EXPECT_EQ((*files)[1].checksum, 8u);
}

TEST_F(Manifest, ANoteIsTakenOnce) {
  ASSERT_TRUE(leaveNote(directory.path, {"b.bin", 3000000, 0x123456789abcdef0}).ok());
  EXPECT_EQ(directory.files(), 4u);
  auto file = takeNote(directory.path, "b.bin");
  ASSERT_TRUE(file.ok()) << file.status().toString();
  EXPECT_EQ(file->name, "b.bin");
  EXPECT_EQ(file->bytes, 3000000u);
  EXPECT_EQ(file->checksum, 0x123456789abcdef0u);
  EXPECT_EQ(directory.files(), 3u);
  EXPECT_EQ(takeNote(directory.path, "b.bin").status().code(), ErrorCode::FileMissing);
  directory.write(noteName("b.bin"), "{}");
  EXPECT_EQ(takeNote(directory.path, "b.bin").status().code(), ErrorCode::FileMissing);
}

TEST_F(Manifest, CutsAreRefused) {
  const std::string whole = directory.read(kManifestName);
  for (size_t size = 0; size + 1 < whole.size(); size += 5) { // the last byte is a newline
    directory.write(kManifestName, whole.substr(0, size));
    EXPECT_EQ(readManifest(directory.path).status().code(), ErrorCode::Checkpoint) << size;
  }
}

TEST_F(Manifest, AFlippedBitIsRefusedOrChangesNothing) {
  const std::string whole = directory.read(kManifestName), meaning = json::parse(whole).dump();
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ 1 << (i * 5 % 8));
    json same = json::parse(flipped, nullptr, false);
    if (!same.is_discarded() && same.dump(-1, ' ', false, json::error_handler_t::replace) == meaning)
      continue; // 1e-08 and 1E-08
    directory.write(kManifestName, flipped);
    EXPECT_EQ(readManifest(directory.path).status().code(), ErrorCode::Checkpoint) << "byte " << i;
  }
}

TEST_F(Manifest, FilesAreHeldToIt) {
  refused("a.bin", "the first fil");
  refused("a.bin", "the first file.");
  refused("a.bin", "the firsT file");
  refused("a.bin", "");
  std::string b = directory.read("b.bin");
  for (size_t at : {size_t{0}, size_t{1} << 20, b.size() - 1}) {
    std::string flipped = b;
    flipped[at] ^= 1;
    refused("b.bin", flipped);
  }
  std::filesystem::remove(directory.file("b.bin"));
  Status status = read();
  EXPECT_EQ(status.code(), ErrorCode::Checkpoint);
  EXPECT_NE(status.message().find("b.bin: is missing"), std::string::npos);
}

TEST_F(Manifest, ALightCheckLooksAtSizesOnly) {
  directory.write("a.bin", "the firsT file");
  EXPECT_TRUE(checkFiles(directory.path, manifest, false).ok());
  directory.write("a.bin", "the first");
  EXPECT_FALSE(checkFiles(directory.path, manifest, false).ok());
}

TEST_F(Manifest, OtherFormatsAreToldApart) {
  json body = json::parse(directory.read(kManifestName));
  auto edited = [&](auto &&edit) {
    json other = body;
    edit(other);
    return sealed(other);
  };
  refused(kManifestName, edited([](json &j) { j["version"] = 2; }), ErrorCode::CheckpointVersion);
  refused(kManifestName, edited([](json &j) { j["version"] = "1"; }));
  refused(kManifestName, edited([](json &j) { j["format"] = "something else"; }));
  refused(kManifestName, edited([](json &j) { j.erase("identity"); }));
  refused(kManifestName, edited([](json &j) { j["progress"]["step"] = -1; }));
  refused(kManifestName, edited([](json &j) { j["progress"]["loss"] = "low"; }));
  refused(kManifestName, edited([](json &j) { j["files"] = {{"../a.bin", j["files"]["a.bin"]}}; }));
  refused(kManifestName, edited([](json &j) { j["files"]["a.bin"]["xxh64"] = "short"; }));
  refused(kManifestName, "[]");
  refused(kManifestName, edited([](json &j) { j["files"]["a.bin"]["bytes"] = -4; }));
}

TEST_F(Manifest, ADirectoryWithoutOneIsNoCheckpoint) {
  std::filesystem::remove(directory.file(kManifestName));
  Status status = read();
  EXPECT_EQ(status.code(), ErrorCode::Checkpoint);
  EXPECT_NE(status.message().find("checkpoint.json: is missing"), std::string::npos);
}

} // namespace
} // namespace zp::rt

#include "runtime/io/checkpoint_manifest.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "runtime/base/atomic_file.h"
#include "runtime/base/json_depth.h"
#include "runtime/base/text_file.h"
#include "runtime/io/checksum.h"
#include "runtime/io/model_weights.h"

namespace zp::rt {

using nlohmann::json;

namespace {

constexpr const char *kFormat = "zeroplan training checkpoint";
constexpr size_t kPiece = 1 << 20; // bytes read at once

bool parseHex(const json &value, uint64_t &out) {
  if (!value.is_string())
    return false;
  const std::string &text = value.get_ref<const std::string &>();
  if (text.size() != 16 || text.find_first_not_of("0123456789abcdef") != std::string::npos)
    return false;
  out = std::stoull(text, nullptr, 16);
  return true;
}

std::string sealOf(const json &body) {
  const std::string text = body.dump(-1, ' ', true, json::error_handler_t::replace);
  Checksum checksum;
  checksum.add(text.data(), text.size());
  return hexOf(checksum.value());
}

Status damaged(const std::string &path, const std::string &what) {
  return Status(ErrorCode::Checkpoint, path + ": " + what + "; resume from another checkpoint");
}

json entryOf(const ManifestFile &file) { return {{"bytes", file.bytes}, {"xxh64", hexOf(file.checksum)}}; }

bool parseEntry(const json &entry, ManifestFile &file) {
  if (!entry.is_object() || !entry.value("bytes", json()).is_number_unsigned() || !parseHex(entry.value("xxh64", json()), file.checksum))
    return false;
  file.bytes = entry["bytes"].get<uint64_t>();
  return true;
}

/// A plain name: nothing outside the directory.
bool isPlainName(const std::string &name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

} // namespace

StatusOr<ManifestFile> describeFile(const std::string &directory, const std::string &name) {
  const std::string path = directory + "/" + name;
  auto failed = [&] {
    return Status(ErrorCode::FileMissing,
                  path + ": cannot be read (" + std::strerror(errno) + "), expected a file of a checkpoint; resume from another checkpoint");
  };
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return failed();
  auto buffer = std::make_unique<char[]>(kPiece);
  Checksum checksum;
  ManifestFile file{name};
  ssize_t n;
  while ((n = ::read(fd, buffer.get(), kPiece)) > 0 || (n < 0 && errno == EINTR)) {
    if (n < 0)
      continue;
    checksum.add(buffer.get(), static_cast<uint64_t>(n));
    file.bytes += static_cast<uint64_t>(n);
  }
  Status status = n < 0 ? failed() : Status();
  ::close(fd);
  ZP_RETURN_IF_ERROR(status);
  file.checksum = checksum.value();
  return file;
}

std::string noteName(const std::string &name) { return name + ".xxh64"; }

Status leaveNote(const std::string &directory, const ManifestFile &file) {
  return writeFileAtomically(directory + "/" + noteName(file.name), entryOf(file).dump());
}

StatusOr<ManifestFile> takeNote(const std::string &directory, const std::string &name) {
  const std::string path = directory + "/" + noteName(name);
  ZP_ASSIGN_OR_RETURN(std::string text, readTextFile(path));
  ManifestFile file{name};
  if (!parseEntry(json::parse(text, nullptr, false), file))
    return Status(ErrorCode::FileMissing, path + ": is no size with a checksum, expected what the rank that wrote " + name + " says of it");
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  return file;
}

StatusOr<std::vector<ManifestFile>> describeFiles(const std::string &directory, const std::vector<ManifestFile> &known) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end; it.increment(error))
    if (it->path().filename() != kManifestName)
      names.push_back(it->path().filename().native());
  if (error)
    return Status(ErrorCode::FileMissing,
                  directory + ": cannot be listed (" + error.message() + "), expected a checkpoint's directory; check the path");
  std::sort(names.begin(), names.end());
  std::vector<ManifestFile> files;
  for (const std::string &name : names) {
    auto found = std::find_if(known.begin(), known.end(), [&](const ManifestFile &file) { return file.name == name; });
    if (found != known.end()) {
      files.push_back(*found);
      continue;
    }
    ZP_ASSIGN_OR_RETURN(ManifestFile file, describeFile(directory, name));
    files.push_back(std::move(file));
  }
  return files;
}

std::string manifestText(const CheckpointManifest &manifest) {
  json body;
  body["format"] = kFormat;
  body["version"] = kCheckpointVersion;
  for (const auto &[key, value] : manifest.identity)
    body["identity"][key] = json::parse(value, nullptr, false);
  for (const auto &[key, value] : manifest.progress)
    body["progress"][key] = value;
  body["progress"]["step"] = manifest.step;
  body["progress"]["num_tokens"] = manifest.tokens;
  body["files"] = json::object();
  for (const ManifestFile &file : manifest.files)
    body["files"][file.name] = entryOf(file);
  body["xxh64"] = sealOf(body);
  return body.dump(2, ' ', true, json::error_handler_t::replace) + "\n";
}

StatusOr<CheckpointManifest> readManifest(const std::string &directory) {
  const std::string path = directory + "/" + kManifestName;
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    return Status(ErrorCode::Checkpoint, path + ": is missing (" + std::strerror(errno) +
                                             "), expected the directory of a training checkpoint; "
                                             "name a checkpoint-N of --output_dir");
  ZP_ASSIGN_OR_RETURN(std::string text, readTextFile(path));
  json body = parseJson<json>(text);
  uint64_t seal = 0;
  if (body.is_discarded() || !body.is_object() || !body.contains("xxh64") || !parseHex(body["xxh64"], seal))
    return damaged(path, "is no JSON object with a checksum");
  body.erase("xxh64");
  if (sealOf(body) != hexOf(seal))
    return damaged(path, "its checksum is " + sealOf(body) + ", expected " + hexOf(seal));
  if (body.value("format", json()) != kFormat || !body.value("version", json()).is_number_unsigned())
    return damaged(path, std::string("format is ") + body.value("format", json()).dump() + ", expected \"" + kFormat + "\"");
  if (uint64_t version = body["version"].get<uint64_t>(); version != kCheckpointVersion)
    return Status(ErrorCode::CheckpointVersion, path + ": version is " + std::to_string(version) + ", expected " +
                                                    std::to_string(kCheckpointVersion) + "; resume with the zprun that wrote it");
  CheckpointManifest manifest;
  for (const char *key : {"files", "identity", "progress"})
    if (!body.value(key, json()).is_object())
      return damaged(path, std::string(key) + " is not an object");
  for (const auto &[name, file] : body["files"].items()) {
    ManifestFile entry{name};
    if (!isPlainName(name) || !parseEntry(file, entry))
      return damaged(path, "files." + name + ": is no plain name with a size and a checksum");
    manifest.files.push_back(std::move(entry));
  }
  for (const auto &[key, value] : body["identity"].items())
    manifest.identity[key] = value.dump();
  for (const auto &[key, value] : body["progress"].items()) {
    if (!value.is_number())
      return damaged(path, "progress." + key + ": is not a number");
    manifest.progress[key] = value.get<double>();
  }
  for (auto [key, out] : {std::pair("step", &manifest.step), std::pair("num_tokens", &manifest.tokens)}) {
    const json value = body["progress"].value(key, json());
    if (!value.is_number_unsigned())
      return damaged(path, std::string("progress.") + key + ": is not a whole number from 0");
    *out = value.get<uint64_t>();
    manifest.progress.erase(key);
  }
  return manifest;
}

Status checkFiles(const std::string &directory, const CheckpointManifest &manifest, bool contents) {
  for (const ManifestFile &file : manifest.files) {
    const std::string path = directory + "/" + file.name;
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0)
      return damaged(path, std::string("is missing (") + std::strerror(errno) + "), expected " + std::to_string(file.bytes) + " bytes");
    if (static_cast<uint64_t>(info.st_size) != file.bytes)
      return damaged(path, "has " + std::to_string(info.st_size) + " bytes, expected " + std::to_string(file.bytes));
    if (!contents)
      continue;
    ZP_ASSIGN_OR_RETURN(ManifestFile found, describeFile(directory, file.name));
    if (found.checksum != file.checksum)
      return damaged(path, "its checksum is " + hexOf(found.checksum) + ", expected " + hexOf(file.checksum));
  }
  return {};
}

} // namespace zp::rt

#include "runtime/io/safetensors_writer.h"

#include <algorithm>
#include <cstdio>

#include "runtime/base/checked_math.h"

namespace zp::rt {

/// Escapes as serde_json does: quotes, backslashes and control characters, nothing else.
static std::string inQuotes(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\b':
      out += "\\b";
      break;
    case '\t':
      out += "\\t";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\f':
      out += "\\f";
      break;
    case '\r':
      out += "\\r";
      break;
    default:
      if (static_cast<unsigned char>(c) < 0x20) {
        char code[8];
        std::snprintf(code, sizeof code, "\\u%04x", c);
        out += code;
      } else {
        out += c;
      }
    }
  }
  return out + '"';
}

uint64_t bytesOf(const SafetensorsEntry &entry) {
  uint64_t bits = bitsOf(entry.dtype);
  for (uint64_t dim : entry.shape)
    bits *= dim;
  return bits / 8;
}

std::string safetensorsHeader(std::vector<SafetensorsEntry> &entries, const SafetensorsWriter::Metadata *metadata, std::vector<uint64_t> &begins) {
  std::sort(entries.begin(), entries.end(), [](const auto &a, const auto &b) { return a.dtype != b.dtype ? a.dtype > b.dtype : a.name < b.name; });
  std::string json = "{", comma;
  if (metadata) {
    json += "\"__metadata__\":{";
    for (const auto &[key, value] : *metadata) {
      json += comma + inQuotes(key) + ":" + inQuotes(value);
      comma = ",";
    }
    json += "}";
    comma = ",";
  }
  uint64_t at = 0;
  begins.clear();
  for (const SafetensorsEntry &entry : entries) {
    std::string shape;
    for (uint64_t dim : entry.shape)
      shape += (shape.empty() ? "" : ",") + std::to_string(dim);
    uint64_t end = at + bytesOf(entry);
    json += comma + inQuotes(entry.name) + ":{\"dtype\":\"" + textOf(entry.dtype) + "\",\"shape\":[" + shape + "],\"data_offsets\":[" +
            std::to_string(at) + "," + std::to_string(end) + "]}";
    comma = ",";
    begins.push_back(at);
    at = end;
  }
  json += "}";
  json.resize(alignUp(json.size(), 8), ' ');
  std::string head(8, '\0');
  for (int i = 0; i < 8; ++i)
    head[static_cast<size_t>(i)] = static_cast<char>(json.size() >> (8 * i));
  return head + json;
}

StatusOr<SafetensorsWriter> SafetensorsWriter::create(const std::string &path, const std::vector<SafetensorsEntry> &entries,
                                                      const Metadata *metadata) {
  std::vector<SafetensorsEntry> ordered = entries;
  std::vector<uint64_t> begins;
  std::string header = safetensorsHeader(ordered, metadata, begins);
  ZP_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(path));
  SafetensorsWriter writer(std::move(file));
  writer.path = path;
  for (size_t i = 0; i < ordered.size(); ++i) {
    uint64_t bytes = bytesOf(ordered[i]);
    if (!writer.places.emplace(ordered[i].name, Place{header.size() + begins[i], bytes}).second)
      return Status(ErrorCode::Internal, path + ": tensor " + ordered[i].name + " is to be written twice");
    writer.missing += bytes;
  }
  ZP_RETURN_IF_ERROR(writer.file.write(0, header.data(), header.size()));
  return writer;
}

Status SafetensorsWriter::write(std::string_view name, uint64_t offset, const void *data, uint64_t bytes) {
  auto it = places.find(name);
  if (it == places.end() || !rangeFits(offset, bytes, it->second.bytes) || bytes > missing)
    return Status(ErrorCode::Internal, path + ": tensor " + std::string(name) + " is written beyond what was declared");
  ZP_RETURN_IF_ERROR(file.write(it->second.begin + offset, data, bytes));
  missing -= bytes;
  return {};
}

Status SafetensorsWriter::finish() {
  if (missing != 0)
    return Status(ErrorCode::Internal, path + ": " + std::to_string(missing) + " bytes were never written");
  return file.commit();
}

} // namespace zp::rt

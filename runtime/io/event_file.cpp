#include "runtime/io/event_file.h"

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <unistd.h>

#include "runtime/base/atomic_file.h"
#include "runtime/base/disk_error.h"

namespace zp::rt {

namespace {

constexpr uint32_t kPolynomial = 0x82f63b78; // Castagnoli's, bits reversed

constexpr std::array<uint32_t, 256> makeTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit)
      crc = crc >> 1 ^ (crc & 1 ? kPolynomial : 0);
    table[byte] = crc;
  }
  return table;
}

/// So that a checksum of bytes that hold checksums is still one.
uint32_t masked(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes);
  return (crc >> 15 | crc << 17) + 0xa282ead8;
}

template <typename Number> void putLittle(std::string &out, Number value) {
  for (size_t i = 0; i < sizeof value; ++i)
    out += static_cast<char>(value >> (8 * i) & 0xff);
}

// Protocol buffers: a key is the field's number and its wire type.
enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void putVarint(std::string &out, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}
void putKey(std::string &out, uint32_t field, WireType type) { putVarint(out, field << 3 | type); }
void putBytes(std::string &out, uint32_t field, std::string_view bytes) {
  putKey(out, field, kBytes);
  putVarint(out, bytes.size());
  out += bytes;
}

// Fields of tensorflow.Event and of its Summary.
constexpr uint32_t kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kValue = 1, kTag = 1, kSimpleValue = 2;

std::string eventAt(double seconds) {
  std::string event;
  putKey(event, kWallTime, kFixed64);
  putLittle(event, std::bit_cast<uint64_t>(seconds));
  return event;
}

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

} // namespace

uint32_t crc32c(std::string_view bytes) {
  static constexpr std::array<uint32_t, 256> table = makeTable();
  uint32_t crc = ~uint32_t{0};
  for (char byte : bytes)
    crc = crc >> 8 ^ table[(crc ^ static_cast<uint8_t>(byte)) & 0xff];
  return ~crc;
}

std::string eventRecord(std::string_view event) {
  std::string record;
  putLittle(record, static_cast<uint64_t>(event.size()));
  putLittle(record, masked(record));
  record += event;
  putLittle(record, masked(event));
  return record;
}

std::string scalarsEvent(double seconds, uint64_t step, std::span<const Scalar> scalars) {
  std::string event = eventAt(seconds), summary;
  putKey(event, kStep, kVarint);
  putVarint(event, step);
  for (const auto &[tag, number] : scalars) {
    std::string value;
    putBytes(value, kTag, tag);
    putKey(value, kSimpleValue, kFixed32);
    putLittle(value, std::bit_cast<uint32_t>(static_cast<float>(number)));
    putBytes(summary, kValue, value);
  }
  putBytes(event, kSummary, summary);
  return event;
}

StatusOr<EventFile> EventFile::create(const std::string &directory) {
  ZP_RETURN_IF_ERROR(makeWritableDirectory(directory));
  char host[256] = "localhost";
  gethostname(host, sizeof host - 1);
  const double seconds = now();
  EventFile events;
  events.path =
      directory + "/events.out.tfevents." + std::to_string(static_cast<int64_t>(seconds)) + "." + host + "." + std::to_string(getpid()) + ".0";
  events.file.reset(std::fopen(events.path.c_str(), "we"));
  std::string version = eventAt(seconds);
  putBytes(version, kFileVersion, "brain.Event:2");
  ZP_RETURN_IF_ERROR(events.append(eventRecord(version)));
  return events;
}

Status EventFile::add(uint64_t step, std::span<const Scalar> scalars) { return append(eventRecord(scalarsEvent(now(), step, scalars))); }

Status EventFile::append(const std::string &record) {
  if (file && std::fwrite(record.data(), 1, record.size(), file.get()) == record.size() && std::fflush(file.get()) == 0)
    return {};
  const char *fix = "free space or name another --logging_dir";
  return diskError(path, "written", errno, "a place for TensorBoard's events", fix, fix);
}

} // namespace zp::rt

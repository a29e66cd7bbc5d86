// Bytes and bit patterns as tests write them.
#ifndef ZP_TESTS_UNIT_RUNTIME_QUANT_BYTES_H
#define ZP_TESTS_UNIT_RUNTIME_QUANT_BYTES_H

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace zp::test {

inline float f32(uint32_t bits) { return std::bit_cast<float>(bits); }

inline std::vector<uint32_t> bitsOf(const std::vector<float> &values) {
  std::vector<uint32_t> bits;
  for (float value : values)
    bits.push_back(std::bit_cast<uint32_t>(value));
  return bits;
}

inline std::string hexOf(const std::vector<uint8_t> &bytes) {
  std::string text;
  for (uint8_t byte : bytes)
    for (int digit : {byte >> 4, byte & 15})
      text += "0123456789abcdef"[digit];
  return text;
}

inline std::string repeated(const std::string &text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i)
    all += text;
  return all;
}

/// As zlib computes it.
inline uint32_t crc32(const void *data, size_t bytes) {
  uint32_t crc = ~0u;
  for (size_t i = 0; i < bytes; ++i) {
    crc ^= static_cast<const uint8_t *>(data)[i];
    for (int bit = 0; bit < 8; ++bit)
      crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return ~crc;
}
template <typename T> uint32_t crc32(const std::vector<T> &values) { return crc32(values.data(), values.size() * sizeof(T)); }

} // namespace zp::test

#endif // ZP_TESTS_UNIT_RUNTIME_QUANT_BYTES_H

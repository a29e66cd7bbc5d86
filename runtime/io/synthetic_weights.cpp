#include "runtime/io/synthetic_weights.h"

#include <algorithm>

#include "runtime/io/convert_elements.h"

namespace zp::rt {

uint64_t mixedBits(uint64_t counter) {
  uint64_t z = counter * 0x9e3779b97f4a7c15ull + 0x9e3779b97f4a7c15ull;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ z >> 27) * 0x94d049bb133111ebull;
  return z ^ z >> 31;
}

void syntheticWeights(const std::string &name, int rank, uint64_t seed, uint64_t first, uint64_t count, void *target, DType dtype) {
  uint64_t stream = 0xcbf29ce484222325ull ^ seed; // FNV-1a: a parameter's values hang on its name alone
  for (unsigned char c : name)
    stream = (stream ^ c) * 0x100000001b3ull;
  const bool bias = name.ends_with(".bias");
  constexpr uint64_t piece = 1024;
  float values[piece];
  auto *out = static_cast<std::byte *>(target);
  for (uint64_t done = 0; done < count; done += piece) {
    uint64_t n = std::min(piece, count - done);
    for (uint64_t i = 0; i < n; ++i) {
      // Four uniform 16-bit words: their sum is close to normal, with variance 4/12.
      uint64_t bits = mixedBits(stream + first + done + i);
      auto sum = static_cast<float>((bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48));
      values[i] = rank == 1 ? (bias ? 0.0f : 1.0f) : (sum / 65536.0f - 2.0f) * (0.02f * 1.7320508f);
    }
    convertElements(reinterpret_cast<const std::byte *>(values), DType::F32, out + bytesOf(dtype, done), dtype, n);
  }
}

} // namespace zp::rt

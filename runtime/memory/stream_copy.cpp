#include "runtime/memory/stream_copy.h"

#include <algorithm>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace zp::rt {

#ifdef __SSE2__

constexpr uint64_t kLine = 64;

void streamCopy(void *target, const void *source, uint64_t bytes) {
  auto *to = static_cast<char *>(target);
  auto *from = static_cast<const char *>(source);
  const uint64_t head = std::min(bytes, (kLine - reinterpret_cast<uintptr_t>(to) % kLine) % kLine);
  std::memcpy(to, from, head);
  uint64_t done = head;
  for (; bytes - done >= kLine; done += kLine) {
    const auto *in = reinterpret_cast<const __m128i *>(from + done);
    auto *out = reinterpret_cast<__m128i *>(to + done);
    const __m128i a = _mm_loadu_si128(in), b = _mm_loadu_si128(in + 1), c = _mm_loadu_si128(in + 2), d = _mm_loadu_si128(in + 3);
    _mm_stream_si128(out, a); // a whole line at once, or it is written in parts
    _mm_stream_si128(out + 1, b);
    _mm_stream_si128(out + 2, c);
    _mm_stream_si128(out + 3, d);
  }
  std::memcpy(to + done, from + done, bytes - done);
  _mm_sfence(); // such stores are ordered by nothing else
}

#else

void streamCopy(void *target, const void *source, uint64_t bytes) { std::memcpy(target, source, bytes); }

#endif

} // namespace zp::rt

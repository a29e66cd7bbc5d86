// Which keys a query sees: the one statement of the mask.
#ifndef ZP_RUNTIME_KERNELS_ATTENTION_VISIBLE_H
#define ZP_RUNTIME_KERNELS_ATTENTION_VISIBLE_H

#include <algorithm>
#include <cstdint>

namespace zp::rt {

/// The first token that query i may see, segments aside: of its row, and of its window when there is one.
inline int64_t firstVisible(int64_t i, int64_t length, int64_t window) {
  int64_t rowStart = i / length * length;
  return window == 0 ? rowStart : std::max(rowStart, i - window + 1);
}

/// Query i sees key j.
inline bool isVisible(int64_t i, int64_t j, const int32_t *segments, int64_t length, int64_t window) {
  return j <= i && j >= firstVisible(i, length, window) && segments[i] == segments[j];
}

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_ATTENTION_VISIBLE_H

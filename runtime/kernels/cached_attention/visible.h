// Which places of its row's cache a token sees: the one statement of the mask.
#ifndef ZP_RUNTIME_KERNELS_CACHED_ATTENTION_VISIBLE_H
#define ZP_RUNTIME_KERNELS_CACHED_ATTENTION_VISIBLE_H

#include <algorithm>
#include <cstdint>

namespace zp::rt {

/// Places [first, end) of a row of `places`; none for a negative position.
struct VisiblePlaces {
  int64_t first, end;
};
inline VisiblePlaces visiblePlaces(int64_t position, int64_t window, int64_t places) {
  const int64_t end = std::clamp<int64_t>(position + 1, 0, places);
  return {window == 0 ? 0 : std::clamp<int64_t>(position - window + 1, 0, end), end};
}

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_CACHED_ATTENTION_VISIBLE_H

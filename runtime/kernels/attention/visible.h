// Which keys a query sees, of a row or of a cache: the one statement of the mask.
#ifndef ZP_RUNTIME_KERNELS_ATTENTION_VISIBLE_H
#define ZP_RUNTIME_KERNELS_ATTENTION_VISIBLE_H

#include <algorithm>
#include <cstdint>

namespace zp::rt {

/// Places [first, end) of a row of keys.
struct VisiblePlaces {
  int64_t first, end;
};

/// Causal: what a query of this position sees of `places` keys; nothing when the position is negative.
inline VisiblePlaces visiblePlaces(int64_t position, int64_t window, int64_t places) {
  const int64_t end = std::clamp<int64_t>(position + 1, 0, places);
  return {window == 0 ? 0 : std::clamp<int64_t>(position - window + 1, 0, end), end};
}

/// Who sees whom in a row of queries and one of keys, segments aside.
struct AttentionMask {
  int64_t keyLength, window;
  bool causal;
  template <typename Args> explicit AttentionMask(const Args &args) : keyLength(args.keyLength), window(args.window), causal(args.causal) {}
  /// Of the query at place i. Both ends grow with i.
  VisiblePlaces of(int64_t i) const { return causal ? visiblePlaces(i, window, keyLength) : VisiblePlaces{0, keyLength}; }
};

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_ATTENTION_VISIBLE_H

// T5's buckets of distances: the one statement of them, in f32 as the reference computes it.
#ifndef ZP_RUNTIME_KERNELS_RELATIVE_BIAS_BUCKET_H
#define ZP_RUNTIME_KERNELS_RELATIVE_BIAS_BUCKET_H

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>

#ifdef __CUDACC__
#define ZP_ON_ANY __host__ __device__ // kernels of a device ask it too
#else
#define ZP_ON_ANY
#endif

namespace zp::rt {

struct RelativeBuckets {
  int64_t buckets, maxDistance;
  bool bidirectional;
  /// Buckets of one direction, and how many of those hold one distance each.
  ZP_ON_ANY int64_t ofDirection() const { return bidirectional ? buckets / 2 : buckets; }
  ZP_ON_ANY int64_t exact() const { return ofDirection() / 2; }
  /// `relative` is the key's place minus the query's. Requires exact() >= 1 and maxDistance > exact().
  ZP_ON_ANY int64_t of(int64_t relative) const {
    const int64_t distance = bidirectional ? std::abs(relative) : std::max<int64_t>(-relative, 0);
    const int64_t base = bidirectional && relative > 0 ? ofDirection() : 0;
    if (distance < exact())
      return base + distance;
    const auto range = static_cast<float>(std::log(static_cast<double>(maxDistance) / static_cast<double>(exact())));
    const auto further = static_cast<float>(ofDirection() - exact());
    const float steps = std::log(static_cast<float>(distance) / static_cast<float>(exact())) / range * further;
    return base + exact() + std::min(static_cast<int64_t>(std::min(steps, further)), ofDirection() - exact() - 1);
  }
};

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_RELATIVE_BIAS_BUCKET_H

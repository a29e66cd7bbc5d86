#include "runtime/io/convert_elements.h"

#include <cstddef>
#include <cstring>

#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/io/convert_elements.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

/// Elements of a file, at any address: bytes, so that nothing takes them for aligned.
struct FileF32 {
  std::byte bytes[4];
};
struct FileF16 {
  std::byte bytes[2];
};
struct FileBf16 {
  std::byte bytes[2];
};
using U16 = hn::Rebind<uint16_t, F32>;
static const uint16_t *words(const void *at) { return static_cast<const uint16_t *>(at); }
static uint16_t *words(void *at) { return static_cast<uint16_t *>(at); }

HWY_INLINE VF32 fromFile(F32 d, const FileF32 *from) { return hn::LoadU(d, reinterpret_cast<const float *>(from)); }
HWY_INLINE VF32 fromFile(F32 d, const FileBf16 *from) { return load(d, words(from)); }
HWY_INLINE VF32 fromFile(F32 d, const FileF16 *from) {
  if constexpr (kConvertsF16)
    return hn::PromoteTo(d, hn::BitCast(hn::Rebind<hwy::float16_t, F32>(), hn::LoadU(U16(), words(from))));
  // Where the CPU has no such conversion the compiler's also keeps a NaN's bits, which numeric.h's doesn't promise.
  HWY_ALIGN _Float16 halves[HWY_MAX_BYTES / sizeof(float)];
  HWY_ALIGN float lanes[HWY_MAX_BYTES / sizeof(float)];
  std::memcpy(halves, from, hn::Lanes(d) * sizeof(_Float16));
  for (size_t i = 0; i < hn::Lanes(d); ++i)
    lanes[i] = static_cast<float>(halves[i]);
  return hn::Load(d, lanes);
}

HWY_INLINE void toFile(F32 d, VF32 value, FileF32 *to) { hn::StoreU(value, d, reinterpret_cast<float *>(to)); }
/// All NaNs become one.
HWY_INLINE void toFile(F32 d, VF32 value, FileBf16 *to) {
  const hn::Rebind<uint32_t, F32> du32;
  store(d, hn::IfThenElse(hn::IsNaN(value), hn::BitCast(d, hn::Set(du32, 0x7fc00000u)), value), words(to));
}
HWY_INLINE void toFile(F32 d, VF32 value, FileF16 *to) {
  if constexpr (kConvertsF16) {
    hn::StoreU(hn::BitCast(U16(), hn::DemoteTo(hn::Rebind<hwy::float16_t, F32>(), value)), U16(), words(to));
  } else {
    HWY_ALIGN float lanes[HWY_MAX_BYTES / sizeof(float)];
    HWY_ALIGN _Float16 halves[HWY_MAX_BYTES / sizeof(float)];
    hn::Store(value, d, lanes);
    for (size_t i = 0; i < hn::Lanes(d); ++i)
      halves[i] = static_cast<_Float16>(lanes[i]);
    std::memcpy(to, halves, hn::Lanes(d) * sizeof(_Float16));
  }
}

template <typename From, typename To> static void convertAll(const void *source, void *target, uint64_t count) {
  const F32 d;
  const uint64_t lanes = hn::Lanes(d);
  const auto *from = static_cast<const From *>(source);
  auto *to = static_cast<To *>(target);
  uint64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    toFile(d, fromFile(d, from + i), to + i);
  if (i == count)
    return;
  HWY_ALIGN From in[HWY_MAX_BYTES / sizeof(float)] = {};
  HWY_ALIGN To out[HWY_MAX_BYTES / sizeof(float)];
  std::memcpy(in, from + i, (count - i) * sizeof(From));
  toFile(d, fromFile(d, in), out);
  std::memcpy(to + i, out, (count - i) * sizeof(To));
}

/// body(T()), T being what holds a file's elements of a float type.
template <typename Body> static void forFileType(DType dtype, const Body &body) {
  if (dtype == DType::BF16)
    body(FileBf16());
  else if (dtype == DType::F16)
    body(FileF16());
  else
    body(FileF32());
}

static void convertVectors(const std::byte *source, DType from, void *target, DType to, uint64_t count) {
  forFileType(from, [&](auto in) { forFileType(to, [&](auto out) { convertAll<decltype(in), decltype(out)>(source, target, count); }); });
}

template <typename T> static void roundAll(float *values, uint64_t count) {
  const F32 d;
  forVectors(0, static_cast<int64_t>(count), [&](int64_t i, auto vector) HWY_ATTR {
    HWY_ALIGN T narrow[HWY_MAX_BYTES / sizeof(float)];
    toFile(d, vector(d, values + i), narrow);
    vector(d, fromFile(d, narrow), values + i);
  });
}

static void roundVectors(float *values, uint64_t count, DType dtype) {
  forFileType(dtype, [&](auto narrow) { roundAll<decltype(narrow)>(values, count); });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {

HWY_EXPORT(convertVectors);
HWY_EXPORT(roundVectors);

bool isFloat(DType dtype) { return dtype == DType::F32 || dtype == DType::BF16 || dtype == DType::F16; }

void convertElements(const std::byte *source, DType from, void *target, DType to, uint64_t count) {
  if (from == to)
    std::memcpy(target, source, bytesOf(from, count));
  else
    HWY_DYNAMIC_DISPATCH(convertVectors)(source, from, target, to, count);
}

void roundElements(float *values, uint64_t count, DType dtype) {
  if (dtype != DType::F32)
    HWY_DYNAMIC_DISPATCH(roundVectors)(values, count, dtype);
}

} // namespace zp::rt
#endif

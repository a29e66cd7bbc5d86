// Which probabilities of a tile attention drops, compiled once per target.
#if defined(ZP_RUNTIME_KERNELS_ATTENTION_DROPOUT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_RUNTIME_KERNELS_ATTENTION_DROPOUT_INL_H
#undef ZP_RUNTIME_KERNELS_ATTENTION_DROPOUT_INL_H
#else
#define ZP_RUNTIME_KERNELS_ATTENTION_DROPOUT_INL_H
#endif

#include "runtime/kernels/attention/dropout_counter.h"
#include "runtime/kernels/attention/tile-inl.h"
#include "runtime/kernels/philox-inl.h"
#include "runtime/schema/step_scalars.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

static_assert(kKeyTile % (kKeysPerCounter * kPhiloxCounters) == 0);

/// The mask of one head and row, a query of a tile at a time. False without dropout: then nothing is to be asked.
class TileDropout {
public:
  template <typename Args>
  TileDropout(const Args &args, int64_t head, int64_t row) : scalars(args.scalars ? args.scalars.template as<StepScalars>() : nullptr) {
    if (!scalars)
      return;
    updateRow = scalars->rowBase + static_cast<uint32_t>(row);
    site = static_cast<uint32_t>(args.site + head);
    lastDropped = static_cast<uint32_t>(dropoutThreshold(args.dropout) - 1); // the threshold is at least 1
    keep = static_cast<float>(1 - args.dropout);
  }
  explicit operator bool() const { return scalars; }
  /// What is kept is divided by this; 1 without dropout.
  float kept() const { return keep; }
  /// Of the query at a place of its row and the first `keys` keys of the tile that begins at `key`.
  HWY_INLINE void load(int64_t query, int64_t key, int64_t keys) {
    const uint32_t first = dropoutCounter(query) + static_cast<uint32_t>(key / kKeysPerCounter);
    for (int64_t c = 0; c < keys; c += kKeysPerCounter * kPhiloxCounters)
      philoxWords(first + static_cast<uint32_t>(c / kKeysPerCounter), updateRow, site, scalars->optimizerStep, scalars->seed, words + c);
  }
  /// Zero in the columns of the tile that are dropped.
  HWY_INLINE VF32 without(F32 d, VF32 value, int64_t column) const {
    const hn::Rebind<uint32_t, F32> d32;
    const auto isKept = hn::Gt(hn::Load(d32, words + column), hn::Set(d32, lastDropped));
    return hn::IfThenElseZero(hn::RebindMask(d, isKept), value);
  }

private:
  const StepScalars *scalars;
  uint32_t updateRow = 0, site = 0, lastDropped = 0;
  float keep = 1;
  HWY_ALIGN uint32_t words[kKeyTile];
};

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

#include <array>

#include "runtime/base/checked_math.h"
#include "runtime/plan/plan_checker.h"
#include "runtime/schema/disk_block.h"

namespace zp::rt {

static bool isTier(fbs::Tier tier) { return tier <= fbs::Tier::MAX; }
static std::string number(uint64_t value) { return std::to_string(value); }

Status PlanChecker::verifyMemory() const {
  if (!plan.spaces() || !plan.buffers() || !plan.tensors())
    return fail("plan", "lacks spaces, buffers or tensors, expected all three lists");

  constexpr size_t tiers = static_cast<size_t>(fbs::Tier::MAX) + 1;
  std::array<uint64_t, tiers> limit{};
  std::array<bool, tiers> present{};
  for (flatbuffers::uoffset_t i = 0; i < plan.spaces()->size(); ++i) {
    const fbs::Space &space = *plan.spaces()->Get(i);
    std::string place = indexed("spaces", i);
    if (!isTier(space.tier()))
      return fail(place, "tier is " + number(static_cast<uint64_t>(space.tier())) + ", expected one of this build");
    size_t tier = static_cast<size_t>(space.tier());
    if (present[tier])
      return fail(place, std::string("tier ") + fbs::EnumNameTier(space.tier()) + " has a space already, expected one");
    if (space.bytes() > kLargestBytes)
      return fail(place, "has " + number(space.bytes()) + " bytes, expected at most 2^50");
    present[tier] = true;
    limit[tier] = space.bytes();
  }

  for (flatbuffers::uoffset_t i = 0; i < plan.buffers()->size(); ++i) {
    const fbs::Buffer &buffer = *plan.buffers()->Get(i);
    std::string place = indexed("buffers", i);
    if (!buffer.name())
      return fail(place, "has no name, expected one");
    place += " (" + buffer.name()->str() + ")";
    if (!isTier(buffer.tier()) || !present[static_cast<size_t>(buffer.tier())])
      return fail(place, "tier is " + number(static_cast<uint64_t>(buffer.tier())) + ", expected one that has a space");
    if (buffer.kind() > fbs::BufferKind::MAX)
      return fail(place, "kind is " + number(static_cast<uint64_t>(buffer.kind())) + ", expected at most " +
                             number(static_cast<uint64_t>(fbs::BufferKind::MAX)));
    // A write to disk is of whole blocks: no two buffers may share one.
    const uint64_t alignment = buffer.tier() == fbs::Tier::Disk ? kDiskBlock : kBufferAlignment;
    if (buffer.bytes() == 0 || buffer.offset() % alignment != 0)
      return fail(place, "lies at " + number(buffer.offset()) + " with " + number(buffer.bytes()) + " bytes, expected some bytes at a multiple of " +
                             number(alignment));
    if (!rangeFits(buffer.offset(), buffer.bytes(), limit[static_cast<size_t>(buffer.tier())]))
      return fail(place, "bytes [" + number(buffer.offset()) + ", +" + number(buffer.bytes()) + ") leave the space of " +
                             number(limit[static_cast<size_t>(buffer.tier())]) + " bytes, expected them inside");
  }

  for (flatbuffers::uoffset_t i = 0; i < plan.tensors()->size(); ++i) {
    const fbs::Tensor &tensor = *plan.tensors()->Get(i);
    std::string place = indexed("tensors", i);
    if (tensor.buffer() >= plan.buffers()->size())
      return fail(place, "buffer is " + number(tensor.buffer()) + ", expected less than " + number(plan.buffers()->size()));
    if (tensor.dtype() >= kDTypeCount)
      return fail(place, "dtype is " + number(tensor.dtype()) + ", expected less than " + number(kDTypeCount));
    if (!tensor.dims() || tensor.dims()->size() < 1 || tensor.dims()->size() > 4)
      return fail(place, "has " + number(tensor.dims() ? tensor.dims()->size() : 0) + " dims, expected 1 to 4");
    if (!isAligned(*tensor.dims()))
      return fail(place, "has dims that lie askew in the file, expected them at a multiple of 8 bytes");
    uint64_t elements = 1;
    for (int64_t dim : *tensor.dims())
      if (dim < 1 || !checkedMul(elements, static_cast<uint64_t>(dim), elements) || elements > kLargestBytes)
        return fail(place, "has a dim of " + std::to_string(dim) + ", expected at least 1 and fewer than 2^50 elements");
    const fbs::Buffer &buffer = *plan.buffers()->Get(tensor.buffer());
    uint64_t bits = bitsOf(dtypeOf(tensor)), bytes = zp::bytesOf(dtypeOf(tensor), elements);
    if (!rangeFits(tensor.offset(), bytes, buffer.bytes()))
      return fail(place, describe(tensor) + " at byte " + number(tensor.offset()) + " leaves buffer " + buffer.name()->str() + " of " +
                             number(buffer.bytes()) + " bytes, expected it inside");
    const bool wholeBlocks =
        tensor.offset() % kDiskBlock == 0 && ((tensor.offset() + bytes) % kDiskBlock == 0 || tensor.offset() + bytes == buffer.bytes());
    if (buffer.tier() == fbs::Tier::Disk && !wholeBlocks)
      return fail(place, describe(tensor) + " at byte " + number(tensor.offset()) + " shares a block of " + number(kDiskBlock) + " bytes of buffer " +
                             buffer.name()->str() + ", expected whole blocks on disk");
    if (bits >= 8 && tensor.offset() % (bits / 8) != 0)
      return fail(place, describe(tensor) + " lies at byte " + number(tensor.offset()) + ", expected a multiple of its element size");
  }
  return {};
}

} // namespace zp::rt

#include "runtime/executor/cuda/host_loader.h"

#include <algorithm>

#include "runtime/executor/cuda/await_stream.h"
#include "runtime/schema/section_records.h"

namespace zp::rt {

constexpr uint64_t kAlignment = 256; // of scales behind records

static uint64_t bytesOfRecord(const fbs::Plan &plan, uint32_t section) { return recordsOf(*plan.sections()->Get(section)).bytes(); }
static std::byte *at(const TensorView &view, uint64_t bytes) { return view.as<std::byte>() + bytes; }

/// What a slot must hold for one element, or one record with its scales, and what it would hold at most.
struct Needs {
  uint64_t least = 0, most = 0;
};
static Needs needsOf(const fbs::Plan &plan, const ResolvedInstruction &instruction) {
  const std::vector<TensorView> &operands = instruction.operands;
  constexpr uint64_t scalesOfRecord = QuantRecords::kBlocks * sizeof(float);
  if (instruction.source->op_as_LoadSection())
    return {bytesOf(operands[0].dtype, 1), operands[0].bytes()};
  if (const auto *quantized = instruction.source->op_as_LoadQuantized())
    return {bytesOfRecord(plan, static_cast<uint32_t>(quantized->section())) + scalesOfRecord + kAlignment,
            operands[0].bytes() + (operands[1] ? operands[1].bytes() + kAlignment : 0)};
  if (const auto *nest = instruction.source->op_as_NestScales())
    return {bytesOfRecord(plan, static_cast<uint32_t>(nest->section())), operands[1].bytes()};
  return {};
}

Status HostLoader::open() {
  Needs all;
  for (const auto &entry : resolved.entries)
    for (const ResolvedInstruction &instruction : entry) {
      const Needs needs = needsOf(plan, instruction);
      all = {std::max(all.least, needs.least), std::max(all.most, needs.most)};
    }
  const uint64_t bytes = std::max(all.least, std::min(all.most, piece));
  for (Slot &slot : slots) {
    if (StatusOr<void *> locked = cuda::allocatePinned(bytes); locked.ok())
      slot.locked = static_cast<std::byte *>(*locked);
    else
      slot.ordinary.resize(bytes);
    ZP_ASSIGN_OR_RETURN(slot.stream, cuda::createStream());
    ZP_ASSIGN_OR_RETURN(slot.filled, cuda::createEvent());
  }
  ZP_ASSIGN_OR_RETURN(asked, cuda::createEvent());
  pool = std::make_unique<ThreadPool>(threads);
  return {};
}

void HostLoader::close() {
  for (Slot &slot : slots) {
    if (slot.filled)
      cuda::destroyEvent(slot.filled);
    if (slot.stream)
      cuda::destroyStream(slot.stream);
    if (slot.locked)
      cuda::freePinned(slot.locked);
    slot = {};
  }
  if (asked)
    cuda::destroyEvent(asked);
  asked = nullptr;
  pool.reset();
}

Status HostLoader::load(const ResolvedInstruction &instruction, cuda::Stream stream, DeviceCollectives &collectives) {
  if (!pool)
    ZP_RETURN_IF_ERROR(open());
  ZP_RETURN_IF_ERROR(cuda::record(asked, stream));
  const std::vector<TensorView> &operands = instruction.operands;
  if (const auto *section = instruction.source->op_as_LoadSection())
    ZP_RETURN_IF_ERROR(loadSection(static_cast<uint32_t>(section->section()), operands[0], collectives));
  else if (const auto *quantized = instruction.source->op_as_LoadQuantized())
    ZP_RETURN_IF_ERROR(loadQuantized(static_cast<uint32_t>(quantized->section()), operands[0], operands[1], collectives));
  else if (const auto *nest = instruction.source->op_as_NestScales())
    ZP_RETURN_IF_ERROR(nestScales(static_cast<uint32_t>(nest->section()), operands[0], operands[1], collectives));
  for (Slot &slot : slots) {
    ZP_RETURN_IF_ERROR(cuda::record(slot.filled, slot.stream));
    ZP_RETURN_IF_ERROR(cuda::wait(slot.filled, stream));
  }
  return {};
}

/// The slots take turns; the host waits until what this one held is on the device.
StatusOr<HostLoader::Slot *> HostLoader::freeSlot(DeviceCollectives &collectives) {
  Slot &slot = slots[next];
  next = (next + 1) % slots.size();
  ZP_RETURN_IF_ERROR(awaitStream(slot.stream, collectives));
  return &slot;
}

/// Whoever uses the target's memory before, or writes what is read, is on the instruction's stream or waited for by it. The host waits
/// for none of that: the slot is filled meanwhile.
Status HostLoader::copy(Slot &slot, void *target, const void *source, uint64_t bytes) {
  ZP_RETURN_IF_ERROR(cuda::wait(asked, slot.stream));
  return cuda::copyAsync(target, source, bytes, slot.stream);
}

Status HostLoader::loadSection(uint32_t section, const TensorView &target, DeviceCollectives &collectives) {
  const auto elements = static_cast<uint64_t>(target.elements());
  const uint64_t atATime = piece / bytesOf(target.dtype, 1);
  for (uint64_t first = 0; first < elements; first += atATime) {
    const uint64_t count = std::min(atATime, elements - first);
    ZP_ASSIGN_OR_RETURN(Slot * slot, freeSlot(collectives));
    ZP_RETURN_IF_ERROR(options.loadSection(section, {target, first, count, slot->memory()}, *pool));
    ZP_RETURN_IF_ERROR(copy(*slot, at(target, bytesOf(target.dtype, first)), slot->memory(), bytesOf(target.dtype, count)));
  }
  return {};
}

Status HostLoader::loadQuantized(uint32_t section, const TensorView &records, const TensorView &scales, DeviceCollectives &collectives) {
  const uint64_t record = bytesOfRecord(plan, section), all = records.bytes() / record;
  const uint64_t scalesOfRecord = scales ? QuantRecords::kBlocks * sizeof(float) : 0;
  const uint64_t atATime = std::max<uint64_t>((piece - std::min(piece, kAlignment)) / (record + scalesOfRecord), 1);
  for (uint64_t first = 0; first < all; first += atATime) {
    const uint64_t count = std::min(atATime, all - first);
    ZP_ASSIGN_OR_RETURN(Slot * slot, freeSlot(collectives));
    std::byte *behind = slot->memory() + (count * record + kAlignment - 1) / kAlignment * kAlignment;
    TensorPart scalesHere;
    if (scales)
      scalesHere = {scales, first * QuantRecords::kBlocks, count * QuantRecords::kBlocks, behind};
    ZP_RETURN_IF_ERROR(options.loadQuantized(section, {records, first * record, count * record, slot->memory()}, scalesHere, *pool));
    ZP_RETURN_IF_ERROR(copy(*slot, at(records, first * record), slot->memory(), count * record));
    if (scales)
      ZP_RETURN_IF_ERROR(copy(*slot, at(scales, first * scalesOfRecord), behind, count * scalesOfRecord));
  }
  return {};
}

/// The one instruction that needs what the device has: codes stay, what the records say of their scales is completed.
Status HostLoader::nestScales(uint32_t section, const TensorView &scales, const TensorView &records, DeviceCollectives &collectives) {
  const uint64_t record = bytesOfRecord(plan, section), all = records.bytes() / record, atATime = std::max<uint64_t>(piece / record, 1);
  std::vector<std::byte> scalesHere(scales.bytes());
  ZP_RETURN_IF_ERROR(copy(slots[next], scalesHere.data(), scales.data, scales.bytes()));
  TensorView host = scales;
  host.data = scalesHere.data();
  ZP_RETURN_IF_ERROR(awaitStream(slots[next].stream, collectives));
  for (uint64_t first = 0; first < all; first += atATime) {
    const uint64_t bytes = std::min(atATime, all - first) * record;
    ZP_ASSIGN_OR_RETURN(Slot * slot, freeSlot(collectives));
    ZP_RETURN_IF_ERROR(copy(*slot, slot->memory(), at(records, first * record), bytes));
    ZP_RETURN_IF_ERROR(awaitStream(slot->stream, collectives));
    ZP_RETURN_IF_ERROR(options.nestScales(section, host, {records, first * record, bytes, slot->memory()}, *pool));
    ZP_RETURN_IF_ERROR(copy(*slot, at(records, first * record), slot->memory(), bytes));
  }
  return {};
}

} // namespace zp::rt

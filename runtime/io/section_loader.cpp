#include "runtime/io/section_loader.h"

#include <algorithm>
#include <cstring>

#include "runtime/io/convert_elements.h"
#include "runtime/io/parameter_info.h"
#include "runtime/io/quantized_loader.h"
#include "runtime/io/synthetic_weights.h"
#include "runtime/schema/section_records.h"

namespace zp::rt {

static constexpr uint64_t kPiece = 1 << 16; // elements drawn at a time, and between two releases of pages 64 times as many

struct SectionReader::Window {
  uint64_t first = 0, count = 0; // elements of the parameter
  std::byte *target = nullptr;
  DType dtype = DType::F32;
};

SectionReader::SectionReader(const fbs::Plan &plan, int rank, SectionSources sources)
    : plan(plan), rank(rank), sources(std::move(sources)), fresh(this->sources.seed) {}

Status SectionReader::load(uint32_t index, const TensorView &target) {
  const fbs::Section &section = *plan.sections()->Get(index);
  auto owned = static_cast<uint64_t>(target.elements());
  const uint64_t whole = section.elements();
  if (owned != whole && owned * plan.ranks() != whole)
    return Status(ErrorCode::PlanInvalid, "sections[" + std::to_string(index) + "]: load_section's target has " + std::to_string(owned) +
                                              " elements, expected the section's " + std::to_string(whole) + " or a rank's share");
  if (!isFloat(target.dtype))
    return Status(ErrorCode::PlanInvalid, "sections[" + std::to_string(index) + "]: load_section's target is no float tensor");
  const uint64_t begin = owned == whole ? 0 : static_cast<uint64_t>(rank) * owned, end = begin + owned;
  auto *out = static_cast<std::byte *>(target.data);

  uint64_t at = begin; // everything before it is filled
  auto zeroUntil = [&](uint64_t next) {
    if (next > at)
      std::memset(out + bytesOf(target.dtype, at - begin), 0, bytesOf(target.dtype, next - at));
  };
  for (const fbs::Parameter *parameter : parametersInOrder(section)) {
    uint64_t from = std::max(begin, parameter->offset()), to = std::min(end, parameter->offset() + elementsOf(*parameter));
    if (from >= to)
      continue;
    zeroUntil(from);
    Window window{from - parameter->offset(), to - from, out + bytesOf(target.dtype, from - begin), target.dtype};
    ZP_RETURN_IF_ERROR(fill(section, *parameter, window));
    at = to;
  }
  zeroUntil(end);
  return {};
}

/// The share of a section's records that a rank holds, by the size of its tensor.
static StatusOr<RecordShare> shareOf(const fbs::Plan &plan, int rank, uint32_t index, const TensorView &records) {
  const fbs::Section &section = *plan.sections()->Get(index);
  const uint64_t owned = records.bytes(), whole = section.elements(), record = recordsOf(section).bytes();
  const bool fits = owned == whole || owned * plan.ranks() == whole;
  if (section.kind() != fbs::SectionKind::Codes || !fits || owned % record != 0)
    return Status(ErrorCode::PlanInvalid, "sections[" + std::to_string(index) + "]: load_quantized's target has " + std::to_string(owned) +
                                              " bytes, expected the records of a section of codes, or a rank's share of whole ones");
  const uint64_t count = owned / record;
  return RecordShare{owned == whole ? 0 : static_cast<uint64_t>(rank) * count, {records.as<std::byte>(), owned}};
}

Status SectionReader::loadQuantized(uint32_t index, const TensorView &records, const TensorView &scales) {
  ZP_ASSIGN_OR_RETURN(RecordShare share, shareOf(plan, rank, index, records));
  WeightSource source{sources.base ? &*sources.base : nullptr, sources.seed, computeDTypeOf(plan)};
  std::span<float> out(scales.as<float>(), scales ? static_cast<size_t>(scales.elements()) : 0);
  return loadRecords(*plan.sections()->Get(index), source, share, out);
}

Status SectionReader::nestScales(uint32_t index, const TensorView &scales, const TensorView &records) {
  ZP_ASSIGN_OR_RETURN(RecordShare share, shareOf(plan, rank, index, records));
  return nestRecordScales(*plan.sections()->Get(index), {scales.as<float>(), static_cast<size_t>(scales.elements())}, share);
}

Status SectionReader::fill(const fbs::Section &section, const fbs::Parameter &parameter, const Window &window) {
  const std::string trained = textOf(parameter.saved_as()), saved = trained.empty() ? savedWholeAs(parameter) : trained;
  if (sources.adapter && sources.adapter->contains(saved))
    return copy(*sources.adapter, saved, parameter, window);
  if (parameter.initial() != fbs::Initial::Checkpoint)
    return draw(section, parameter, window);
  if (sources.base)
    return copy(*sources.base, textOf(parameter.checkpoint()), parameter, window);
  syntheticWeights(textOf(parameter.name()), parameter.shape() ? static_cast<int>(parameter.shape()->size()) : 0, sources.seed,
                   window.first, window.count, window.target, window.dtype);
  return {};
}

Status SectionReader::copy(Checkpoint &from, const std::string &name, const fbs::Parameter &parameter, const Window &window) {
  DType dtype;
  ZP_ASSIGN_OR_RETURN(CheckpointTensor tensor, findFloats(from, name, shapeOf(parameter), dtype));
  constexpr uint64_t stride = 64 * kPiece;
  for (uint64_t done = 0; done < window.count; done += stride) {
    uint64_t n = std::min(stride, window.count - done), offset = bytesOf(dtype, window.first + done);
    convertElements(tensor.data() + offset, dtype, window.target + bytesOf(window.dtype, done), window.dtype, n);
    tensor.file->release(*tensor.info, offset, bytesOf(dtype, n));
  }
  return {};
}

/// What a section's values are computed with: where there is a copy beside f32 masters, the copy's type.
static DType computedWith(const fbs::Plan &plan, const fbs::Section &section) {
  const bool held = plan.tensors() && section.values() < plan.tensors()->size();
  return held ? static_cast<DType>(plan.tensors()->Get(section.values())->dtype()) : DType::F32;
}

Status SectionReader::draw(const fbs::Section &section, const fbs::Parameter &parameter, const Window &window) {
  if (parameter.initial() == fbs::Initial::Zero || sources.freshIsZero) {
    std::memset(window.target, 0, bytesOf(window.dtype, window.count));
    return {};
  }
  std::vector<float> piece(std::min(kPiece, window.count));
  for (uint64_t done = 0; done < window.count; done += kPiece) {
    uint64_t n = std::min(kPiece, window.count - done), first = window.first + done;
    if (parameter.initial() == fbs::Initial::Uniform)
      fresh.uniform(parameter.generator_offset(), parameter.initial_bound(), first, n, piece.data());
    else
      fresh.normal(parameter.generator_offset(), parameter.initial_bound(), elementsOf(parameter), first, n, piece.data());
    roundElements(piece.data(), n, computedWith(plan, section));
    convertElements(reinterpret_cast<const std::byte *>(piece.data()), DType::F32, window.target + bytesOf(window.dtype, done),
                    window.dtype, n);
  }
  return {};
}

} // namespace zp::rt

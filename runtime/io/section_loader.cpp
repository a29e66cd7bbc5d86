#include "runtime/io/section_loader.h"

#include <algorithm>
#include <cstring>

#include "runtime/io/convert_elements.h"
#include "runtime/io/parallel_loading.h"
#include "runtime/io/parameter_info.h"
#include "runtime/io/quantized_loader.h"
#include "runtime/io/synthetic_weights.h"
#include "runtime/schema/section_records.h"

namespace zp::rt {

static constexpr uint64_t kPiece = 1 << 16;    // elements drawn at a time, the least that a thread takes
static constexpr uint64_t kHeld = 64 * kPiece; // elements whose pages all threads together hold

struct SectionReader::Window {
  uint64_t first = 0, count = 0; // elements of the parameter
  std::byte *target = nullptr;
  DType dtype = DType::F32;
};

SectionReader::SectionReader(const fbs::Plan &plan, int rank, SectionSources sources)
    : plan(plan), rank(rank), sources(std::move(sources)), fresh(this->sources.seed) {}

Status SectionReader::load(uint32_t index, const TensorPart &part, ParallelFor &parallel) {
  const fbs::Section &section = *plan.sections()->Get(index);
  const TensorView &target = part.view;
  const uint64_t owned = part.whole, whole = section.elements();
  if (owned != whole && owned * plan.ranks() != whole)
    return Status(ErrorCode::PlanInvalid, "sections[" + std::to_string(index) + "]: load_section's target has " + std::to_string(owned) +
                                              " elements, expected the section's " + std::to_string(whole) + " or a rank's share");
  if (!isFloat(target.dtype))
    return Status(ErrorCode::PlanInvalid, "sections[" + std::to_string(index) + "]: load_section's target is no float tensor");
  const uint64_t begin = (owned == whole ? 0 : static_cast<uint64_t>(rank) * owned) + part.first,
                 end = begin + static_cast<uint64_t>(target.elements());
  auto *out = static_cast<std::byte *>(target.data);

  uint64_t at = begin; // everything before it is filled
  auto zeroUntil = [&](uint64_t next) {
    if (next > at)
      zeroBytes(parallel, out + bytesOf(target.dtype, at - begin), bytesOf(target.dtype, next - at));
  };
  for (const fbs::Parameter *parameter : parametersInOrder(section)) {
    uint64_t from = std::max(begin, parameter->offset()), to = std::min(end, parameter->offset() + elementsOf(*parameter));
    if (from >= to)
      continue;
    zeroUntil(from);
    Window window{from - parameter->offset(), to - from, out + bytesOf(target.dtype, from - begin), target.dtype};
    ZP_RETURN_IF_ERROR(fill(section, *parameter, window, parallel));
    at = to;
  }
  zeroUntil(end);
  return {};
}

/// The share of a section's records that a rank holds, by the size of its tensor.
static StatusOr<RecordShare> shareOf(const fbs::Plan &plan, int rank, uint32_t index, const TensorPart &records) {
  const fbs::Section &section = *plan.sections()->Get(index);
  const uint64_t owned = records.whole, whole = section.elements(), record = recordsOf(section).bytes();
  const bool fits = (owned == whole || owned * plan.ranks() == whole) && records.first % record == 0 && records.view.bytes() % record == 0;
  if (section.kind() != fbs::SectionKind::Codes || !fits || owned % record != 0)
    return Status(ErrorCode::PlanInvalid, "sections[" + std::to_string(index) + "]: load_quantized's target has " + std::to_string(owned) +
                                              " bytes, expected the records of a section of codes, or a rank's share of whole ones");
  const uint64_t first = owned == whole ? 0 : static_cast<uint64_t>(rank) * (owned / record);
  return RecordShare{first + records.first / record, {records.view.as<std::byte>(), records.view.bytes()}};
}

Status SectionReader::loadQuantized(uint32_t index, const TensorPart &records, const TensorPart &scales, ParallelFor &parallel) {
  ZP_ASSIGN_OR_RETURN(RecordShare share, shareOf(plan, rank, index, records));
  WeightSource source{sources.base ? &*sources.base : nullptr, sources.seed, computeDTypeOf(plan)};
  std::span<float> out(scales.view.as<float>(), scales ? static_cast<size_t>(scales.view.elements()) : 0);
  return loadRecords(*plan.sections()->Get(index), source, share, out, parallel);
}

Status SectionReader::nestScales(uint32_t index, const TensorView &scales, const TensorPart &records, ParallelFor &parallel) {
  ZP_ASSIGN_OR_RETURN(RecordShare share, shareOf(plan, rank, index, records));
  return nestRecordScales(*plan.sections()->Get(index), {scales.as<float>(), static_cast<size_t>(scales.elements())}, share, parallel);
}

Status SectionReader::fill(const fbs::Section &section, const fbs::Parameter &parameter, const Window &window, ParallelFor &parallel) {
  const std::string trained = textOf(parameter.saved_as()), saved = trained.empty() ? savedWholeAs(parameter) : trained;
  if (sources.adapter && sources.adapter->contains(saved))
    return copy(*sources.adapter, saved, parameter, window, parallel);
  if (parameter.initial() != fbs::Initial::Checkpoint)
    return draw(section, parameter, window, parallel);
  if (sources.base)
    return copy(*sources.base, textOf(parameter.checkpoint()), parameter, window, parallel);
  const std::string name = textOf(parameter.name());
  const int dims = parameter.shape() ? static_cast<int>(parameter.shape()->size()) : 0;
  parallel.run(static_cast<int64_t>(window.count), kPiece, [&](int64_t begin, int64_t end) {
    const auto first = static_cast<uint64_t>(begin), count = static_cast<uint64_t>(end - begin);
    syntheticWeights(name, dims, sources.seed, window.first + first, count, window.target + bytesOf(window.dtype, first), window.dtype);
  });
  return {};
}

Status SectionReader::copy(ModelWeights &from, const std::string &name, const fbs::Parameter &parameter, const Window &window,
                           ParallelFor &parallel) {
  DType dtype;
  ZP_ASSIGN_OR_RETURN(WeightTensor tensor, findFloats(from, name, shapeOf(parameter), dtype));
  const uint64_t stride = std::max(kPiece, kHeld / static_cast<uint64_t>(parallel.threads()));
  parallel.run(static_cast<int64_t>(window.count), kPiece, [&](int64_t begin, int64_t end) {
    const auto last = static_cast<uint64_t>(end);
    for (auto done = static_cast<uint64_t>(begin); done < last; done += stride) {
      const uint64_t n = std::min(stride, last - done), offset = bytesOf(dtype, window.first + done), bytes = bytesOf(dtype, n);
      tensor.file->announce(*tensor.info, offset, 2 * bytes); // these, and what this thread reads next
      convertElements(tensor.data() + offset, dtype, window.target + bytesOf(window.dtype, done), window.dtype, n);
      tensor.file->release(*tensor.info, offset, bytes);
    }
  });
  tensor.file->release(*tensor.info, bytesOf(dtype, window.first), bytesOf(dtype, window.count)); // pages that two pieces share
  return {};
}

/// What a section's values are computed with: where there is a copy beside f32 masters, the copy's type.
static DType computedWith(const fbs::Plan &plan, const fbs::Section &section) {
  const bool held = plan.tensors() && section.values() < plan.tensors()->size();
  return held ? static_cast<DType>(plan.tensors()->Get(section.values())->dtype()) : DType::F32;
}

Status SectionReader::draw(const fbs::Section &section, const fbs::Parameter &parameter, const Window &window, ParallelFor &parallel) {
  if (parameter.initial() == fbs::Initial::Zero || sources.freshIsZero) {
    zeroBytes(parallel, window.target, bytesOf(window.dtype, window.count));
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
    convertElements(reinterpret_cast<const std::byte *>(piece.data()), DType::F32, window.target + bytesOf(window.dtype, done), window.dtype, n);
  }
  return {};
}

} // namespace zp::rt

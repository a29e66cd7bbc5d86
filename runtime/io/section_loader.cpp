#include "runtime/io/section_loader.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "runtime/io/convert_elements.h"
#include "runtime/io/synthetic_weights.h"
#include "runtime/schema/plan_generated.h"

namespace zp::rt {

namespace {

constexpr uint64_t kPiece = 1 << 16; // elements drawn at a time, and between two releases of pages 64 times as many

std::string textOf(const flatbuffers::String *text) { return text ? text->str() : std::string(); }

std::vector<uint64_t> shapeOf(const fbs::Parameter &parameter) {
  std::vector<uint64_t> shape;
  if (parameter.shape())
    for (int64_t dim : *parameter.shape())
      shape.push_back(static_cast<uint64_t>(dim));
  return shape;
}

uint64_t elementsOf(const fbs::Parameter &parameter) {
  uint64_t n = 1;
  for (uint64_t dim : shapeOf(parameter))
    n *= dim;
  return n;
}

bool dtypeOf(SafetensorsDtype dtype, DType &out) {
  if (dtype == SafetensorsDtype::F32)
    out = DType::F32;
  else if (dtype == SafetensorsDtype::BF16)
    out = DType::BF16;
  else if (dtype == SafetensorsDtype::F16)
    out = DType::F16;
  else
    return false;
  return true;
}

} // namespace

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

  std::vector<const fbs::Parameter *> parameters;
  if (section.parameters())
    for (const fbs::Parameter *parameter : *section.parameters())
      parameters.push_back(parameter);
  std::sort(parameters.begin(), parameters.end(), [](auto *a, auto *b) { return a->offset() < b->offset(); });

  uint64_t at = begin; // everything before it is filled
  auto zeroUntil = [&](uint64_t next) {
    if (next > at)
      std::memset(out + bytesOf(target.dtype, at - begin), 0, bytesOf(target.dtype, next - at));
  };
  for (const fbs::Parameter *parameter : parameters) {
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

Status SectionReader::fill(const fbs::Section &section, const fbs::Parameter &parameter, const Window &window) {
  std::string saved = textOf(parameter.saved_as());
  if (sources.adapter && !saved.empty() && sources.adapter->contains(saved))
    return copy(*sources.adapter, saved, parameter, window);
  if (parameter.initial() != fbs::Initial::Checkpoint)
    return draw(parameter, window);
  if (sources.base)
    return copy(*sources.base, textOf(parameter.checkpoint()), parameter, window);
  syntheticWeights(textOf(parameter.name()), parameter.shape() ? static_cast<int>(parameter.shape()->size()) : 0, sources.seed,
                   window.first, window.count, window.target, window.dtype);
  return {};
}

Status SectionReader::copy(Checkpoint &from, const std::string &name, const fbs::Parameter &parameter, const Window &window) {
  ZP_ASSIGN_OR_RETURN(CheckpointTensor tensor, from.find(name));
  std::string place = tensor.file->path() + ": tensor " + name + ": ";
  if (std::vector<uint64_t> expected = shapeOf(parameter); tensor.info->shape != expected)
    return Status(ErrorCode::TensorShape, place + "shape is " + shapeText(tensor.info->shape) + ", expected " + shapeText(expected) +
                                              " by the plan; name the directory that the plan was imported from, or import again");
  DType dtype;
  if (!dtypeOf(tensor.info->dtype, dtype))
    return Status(ErrorCode::TensorDtype, place + "dtype is " + textOf(tensor.info->dtype) +
                                              ", expected F32, BF16 or F16; convert the checkpoint");
  constexpr uint64_t stride = 64 * kPiece;
  for (uint64_t done = 0; done < window.count; done += stride) {
    uint64_t n = std::min(stride, window.count - done), offset = bytesOf(dtype, window.first + done);
    convertElements(tensor.data() + offset, dtype, window.target + bytesOf(window.dtype, done), window.dtype, n);
    tensor.file->release(*tensor.info, offset, bytesOf(dtype, n));
  }
  return {};
}

Status SectionReader::draw(const fbs::Parameter &parameter, const Window &window) {
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
    if (sources.roundFresh)
      for (uint64_t i = 0; i < n; ++i)
        piece[i] = roundToBf16(piece[i]);
    convertElements(reinterpret_cast<const std::byte *>(piece.data()), DType::F32, window.target + bytesOf(window.dtype, done),
                    window.dtype, n);
  }
  return {};
}

} // namespace zp::rt

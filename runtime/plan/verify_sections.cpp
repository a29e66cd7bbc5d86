#include <cmath>
#include <set>
#include <string_view>

#include "runtime/base/checked_math.h"
#include "runtime/plan/plan_checker.h"
#include "runtime/schema/section_records.h"

namespace zp::rt {

static std::string number(uint64_t value) { return std::to_string(value); }

/// Elements of a parameter; false when a dim is wrong or the product too large.
static bool parameterElements(const fbs::Parameter &parameter, uint64_t &elements) {
  elements = 1;
  if (parameter.shape()->size() < 1 || parameter.shape()->size() > 4 || !isAligned(*parameter.shape()))
    return false;
  for (int64_t dim : *parameter.shape())
    if (dim < 1 || !checkedMul(elements, static_cast<uint64_t>(dim), elements) || elements > kLargestBytes)
      return false;
  return true;
}

Status PlanChecker::verifyParameters(const std::string &sectionPlace, const fbs::Section &section) const {
  const bool codes = section.kind() == fbs::SectionKind::Codes;
  uint64_t free = 0; // where the next parameter may begin
  for (flatbuffers::uoffset_t i = 0; i < section.parameters()->size(); ++i) {
    const fbs::Parameter &parameter = *section.parameters()->Get(i);
    std::string place = sectionPlace + "." + indexed("parameters", i);
    if (!parameter.name() || !parameter.checkpoint() || !parameter.saved_as() || !parameter.shape())
      return fail(place, "lacks name, checkpoint, saved_as or shape, expected all");
    place += " (" + parameter.name()->str() + ")";
    if (parameter.name()->size() == 0)
      return fail(place, "has an empty name, expected a module path");
    uint64_t elements;
    if (!parameterElements(parameter, elements))
      return fail(place, "has a shape of " + number(parameter.shape()->size()) + " dims that hold no tensor, expected 1 to 4 positive dims");
    // Bytes of whole records, or elements.
    const uint64_t size = codes ? recordsOf(section).bytesFor(elements) : elements;
    if (codes && parameter.offset() % recordsOf(section).bytes() != 0)
      return fail(place,
                  "lies at byte " + number(parameter.offset()) + ", expected a record's start, a multiple of " + number(recordsOf(section).bytes()));
    if (parameter.offset() < free || !rangeFits(parameter.offset(), size, section.elements()))
      return fail(place, std::string(codes ? "bytes" : "elements") + " [" + number(parameter.offset()) + ", +" + number(size) +
                             ") overlap the parameter before it or leave the section of " + number(section.elements()) +
                             ", expected parameters one after another inside it");
    free = parameter.offset() + size;
    if (parameter.initial() > fbs::Initial::MAX)
      return fail(place, "initial is " + number(static_cast<uint64_t>(parameter.initial())) + ", expected at most " +
                             number(static_cast<uint64_t>(fbs::Initial::MAX)));
    if (codes && parameter.initial() != fbs::Initial::Checkpoint)
      return fail(place, std::string("is drawn (") + fbs::EnumNameInitial(parameter.initial()) + "), expected codes of the checkpoint's weights");
    if (parameter.initial() == fbs::Initial::Checkpoint && parameter.checkpoint()->size() == 0)
      return fail(place, "comes from the checkpoint but names no tensor, expected a name");
    if (!std::isfinite(parameter.initial_bound()) || parameter.initial_bound() < 0)
      return fail(place, "initial_bound is " + std::to_string(parameter.initial_bound()) + ", expected a finite number that is not negative");
    if (parameter.generator_offset() > kLargestBytes)
      return fail(place, "generator_offset is " + number(parameter.generator_offset()) + ", expected at most 2^50");
  }
  return {};
}

/// A tensor that holds a section's state on one rank.
Status PlanChecker::verifyState(const std::string &place, uint32_t index, uint64_t elements, Holds holds) const {
  if (index == kAbsent)
    return {};
  if (index >= plan.tensors()->size())
    return fail(place, "is tensor " + number(index) + ", expected less than " + number(plan.tensors()->size()));
  const fbs::Tensor &tensor = *plan.tensors()->Get(index);
  const DType dtype = dtypeOf(tensor);
  bool typed = holds == Holds::F32 ? dtype == DType::F32 : holds == Holds::Bytes ? dtype == DType::U8 : isFloatType(dtype);
  if (elementsOf(tensor) != elements || !typed)
    return fail(place, "is " + describe(tensor) + ", expected " +
                           (holds == Holds::F32     ? "f32"
                            : holds == Holds::Bytes ? "a u8"
                                                    : "a float") +
                           " tensor of " + number(elements) + " elements");
  if (!plan.buffers()->Get(tensor.buffer())->persistent())
    return fail(place,
                "lies in buffer " + plan.buffers()->Get(tensor.buffer())->name()->str() + " that is not persistent, expected a persistent one");
  return {};
}

/// What is particular to sections of floats.
Status PlanChecker::verifyFloats(const std::string &place, const fbs::Section &section) const {
  bool trainable = section.kind() == fbs::SectionKind::Trainable;
  if (section.dtype() >= kDTypeCount || !isFloatType(static_cast<DType>(section.dtype())) ||
      (trainable && static_cast<DType>(section.dtype()) != DType::F32))
    return fail(place, "dtype is " + number(section.dtype()) + ", expected a float type, f32 for a trainable section");
  if (section.elements() % plan.ranks() != 0)
    return fail(place, "has " + number(section.elements()) + " elements, expected a positive multiple of the " + number(plan.ranks()) + " ranks");
  if (trainable && (section.parameters_sharded() || section.gradients_sharded()) && !section.optimizer_sharded())
    return fail(place, "shards parameters or gradients without the optimizer, expected the stages of ZeRO");
  auto held = [&](bool sharded) { return sharded ? section.elements() / plan.ranks() : section.elements(); };
  ZP_RETURN_IF_ERROR(verifyState(place + ".values", section.values(), held(section.parameters_sharded()), Holds::Floats));
  ZP_RETURN_IF_ERROR(verifyState(place + ".master", section.master(), held(section.optimizer_sharded()), Holds::F32));
  ZP_RETURN_IF_ERROR(verifyState(place + ".moment1", section.moment1(), held(section.optimizer_sharded()), Holds::F32));
  ZP_RETURN_IF_ERROR(verifyState(place + ".moment2", section.moment2(), held(section.optimizer_sharded()), Holds::F32));
  return verifyState(place + ".gradient", section.gradient(), held(section.gradients_sharded()), Holds::F32);
}

Status PlanChecker::verifySection(const std::string &place, const fbs::Section &section) const {
  if (section.kind() > fbs::SectionKind::Codes)
    return fail(place, "kind is " + number(static_cast<uint64_t>(section.kind())) + ", expected frozen, trainable or codes");
  if (section.elements() < 1 || section.elements() > kLargestBytes)
    return fail(place, "has " + number(section.elements()) + " elements, expected 1 to 2^50");
  if (section.decay_end() > section.elements())
    return fail(place, "decay_end is " + number(section.decay_end()) + ", expected at most its " + number(section.elements()) + " elements");
  if (section.values() == kAbsent)
    return fail(place + ".values", "is absent, expected a tensor");
  ZP_RETURN_IF_ERROR(section.kind() == fbs::SectionKind::Codes ? verifyCodes(place, section) : verifyFloats(place, section));
  return verifyParameters(place, section);
}

Status PlanChecker::verifySections() const {
  if (!plan.sections())
    return fail("sections", "is missing, expected a list");
  std::set<std::string_view> names, saved;
  for (flatbuffers::uoffset_t i = 0; i < plan.sections()->size(); ++i) {
    const fbs::Section &section = *plan.sections()->Get(i);
    std::string place = indexed("sections", i);
    if (!section.name() || !section.parameters())
      return fail(place, "lacks its name or its parameters, expected both");
    place += " (" + section.name()->str() + ")";
    ZP_RETURN_IF_ERROR(verifySection(place, section));
    for (const fbs::Parameter *parameter : *section.parameters()) {
      if (!names.insert(parameter->name()->string_view()).second)
        return fail(place, "parameter " + parameter->name()->str() + " is in the plan twice, expected once");
      if (parameter->saved_as()->size() && !saved.insert(parameter->saved_as()->string_view()).second)
        return fail(place, "saved_as " + parameter->saved_as()->str() + " is in the plan twice, expected once");
    }
  }
  return {};
}

} // namespace zp::rt

#include "runtime/plan/plan_checker.h"
#include "runtime/quant/block_format.h"
#include "runtime/schema/section_records.h"

namespace zp::rt {

static std::string number(uint64_t value) { return std::to_string(value); }

/// Numbers of records are small beside 2^64: a section has at most 2^50 bytes, a record at least 4096.
Status PlanChecker::verifyCodes(const std::string &place, const fbs::Section &section) const {
  if (static_cast<DType>(section.dtype()) != DType::U8)
    return fail(place, "dtype is " + number(section.dtype()) + ", expected u8 for a section of codes");
  if (section.quant_type() >= kQuantTypeCount)
    return fail(place, "quant_type is " + number(section.quant_type()) + ", expected less than " + number(kQuantTypeCount));
  if (!isQuantBlockSize(section.block_size()))
    return fail(place, "block_size is " + number(section.block_size()) + ", expected a power of two from " + number(kSmallestQuantBlock) + " to " +
                           number(kLargestQuantBlock));
  const uint64_t record = recordsOf(section).bytes(), shares = section.parameters_sharded() ? plan.ranks() : 1;
  if (section.elements() % (record * shares) != 0)
    return fail(place, "has " + number(section.elements()) + " bytes, expected whole records of " + number(record) + " bytes for each of " +
                           number(shares) + " ranks");
  if (section.master() != kAbsent || section.moment1() != kAbsent || section.moment2() != kAbsent || section.gradient() != kAbsent)
    return fail(place, "has a master, moments or a gradient, expected codes alone");
  return verifyState(place + ".values", section.values(), section.elements() / shares, Holds::Bytes);
}

/// A tensor of all the section's records or of a rank's share of them.
Status PlanChecker::verifyRecords(const std::string &place, const char *operand, const fbs::Tensor &records, const fbs::Section &section) const {
  const uint64_t share = recordsOf(section).bytes() * plan.ranks();
  bool whole = elementsOf(records) == section.elements();
  bool part = section.elements() % share == 0 && elementsOf(records) == section.elements() / plan.ranks();
  if (dtypeOf(records) == DType::U8 && (whole || part))
    return {};
  return fail(place, std::string(operand) + " is " + describe(records) + ", expected u8 with the section's " + number(section.elements()) +
                         " bytes or a rank's share in whole records");
}

Status PlanChecker::verifyLoadQuantized(const std::string &place, const fbs::Instruction &instruction, const fbs::Section &section) const {
  const fbs::Tensor &target = operand(instruction, 0);
  ZP_RETURN_IF_ERROR(verifyRecords(place, "target", target, section));
  const bool exchanges = section.nested() && !section.prequantized();
  if (instruction.operands()->Get(1) == kAbsent) {
    if (exchanges && elementsOf(target) != section.elements())
      return fail(place, "has no scales, but nested scales of a share need those of all ranks, expected scales");
    return {};
  }
  if (!exchanges)
    return fail(place, "has scales, expected them for nested scales of weights that aren't quantized yet alone");
  const fbs::Tensor &scales = operand(instruction, 1);
  const uint64_t expected = elementsOf(target) / recordsOf(section).bytes() * QuantRecords::kBlocks;
  if (dtypeOf(scales) != DType::F32 || elementsOf(scales) != expected)
    return fail(place, "scales are " + describe(scales) + ", expected f32 with " + number(expected) + " elements, 256 for each record");
  return {};
}

Status PlanChecker::verifyNestScales(const std::string &place, const fbs::Instruction &instruction, const fbs::Section &section) const {
  if (!section.nested() || section.prequantized())
    return fail(place, "is for a section whose scales aren't nested here, expected nested scales of weights that "
                       "aren't quantized yet");
  const fbs::Tensor &scales = operand(instruction, 0);
  ZP_RETURN_IF_ERROR(verifyRecords(place, "records", operand(instruction, 1), section));
  const uint64_t expected = section.elements() / recordsOf(section).bytes() * QuantRecords::kBlocks;
  if (dtypeOf(scales) != DType::F32 || elementsOf(scales) != expected)
    return fail(place,
                "scales are " + describe(scales) + ", expected f32 with " + number(expected) + " elements, 256 for each record of the section");
  return {};
}

} // namespace zp::rt

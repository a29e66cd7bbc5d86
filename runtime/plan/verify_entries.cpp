#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>
#include <vector>

#include "runtime/base/checked_math.h"
#include "runtime/base/names.h"
#include "runtime/plan/plan_checker.h"
#include "runtime/schema/step_scalars.h"

namespace zp::rt {

static std::string number(uint64_t value) { return std::to_string(value); }

/// What the host writes into an input or reads from an output of this name.
struct HostTensor {
  const char *name;
  DType dtype;
  uint64_t elements;   // 0: a token each
  uint64_t more = 0;   // elements that may follow
  bool rows = false;   // so many a row
  bool source = false; // a token is the encoder's, not the decoder's
};
static constexpr HostTensor kInputs[] = {
    {"input_ids", DType::I32, 0},
    {"labels", DType::I32, 0},
    {"position_ids", DType::I32, 0},
    {"segment_ids", DType::I32, 0},
    {"scalars", DType::U8, sizeof(StepScalars)},
    {"source_ids", DType::I32, 0, 0, false, true},
    {"source_position_ids", DType::I32, 0, 0, false, true},
    {"source_segment_ids", DType::I32, 0, 0, false, true},
    {"beam_origins", DType::I32, 0},
};
// "logits" are looked at by who reads them, for their rows are of more than one kind; outputs of other names are read by nobody but tests.
static constexpr HostTensor kOutputs[] = {{"metrics", DType::F64, 4, 1}, {"loss_sum", DType::F64, 2, 0, true}};

template <size_t N> static const HostTensor *find(const HostTensor (&list)[N], std::string_view name) {
  for (const HostTensor &entry : list)
    if (name == entry.name)
      return &entry;
  return nullptr;
}

template <size_t N> static std::string namesOf(const HostTensor (&list)[N]) {
  std::vector<std::string> names;
  for (const HostTensor &entry : list)
    names.emplace_back(entry.name);
  return joinNames(names, " or ");
}

static bool isCopy(const fbs::Instruction &instruction) { return instruction.op_type() == fbs::OpAttrs::Copy; }

const fbs::Tensor &PlanChecker::operand(const fbs::Instruction &instruction, size_t index) const {
  return *plan.tensors()->Get(instruction.operands()->Get(static_cast<flatbuffers::uoffset_t>(index)));
}

Status PlanChecker::verifyNamed(const std::string &entryPlace, const fbs::Entry &entry) const {
  for (bool input : {true, false}) {
    const auto &list = input ? *entry.inputs() : *entry.outputs();
    std::set<std::string_view> names;
    for (flatbuffers::uoffset_t i = 0; i < list.size(); ++i) {
      std::string place = entryPlace + "." + indexed(input ? "inputs" : "outputs", i);
      if (!list.Get(i)->name())
        return fail(place, "has no name, expected one");
      std::string_view name = list.Get(i)->name()->string_view();
      place += " (" + std::string(name) + ")";
      if (!names.insert(name).second)
        return fail(place, "is there twice, expected once");
      uint32_t index = list.Get(i)->tensor();
      if (index >= plan.tensors()->size())
        return fail(place, "is tensor " + number(index) + ", expected less than " + number(plan.tensors()->size()));
      const HostTensor *known = input ? find(kInputs, name) : find(kOutputs, name);
      if (input && !known)
        return fail(place, "is not an input that this build can give, expected " + namesOf(kInputs));
      const fbs::Tensor &tensor = *plan.tensors()->Get(index);
      uint64_t tokens = uint64_t{entry.rows()} * (known && known->source ? entry.source_length() : entry.length());
      uint64_t elements = known && known->elements ? known->elements : tokens;
      if (known && known->rows)
        elements *= entry.rows();
      if (known && (dtypeOf(tensor) != known->dtype || elementsOf(tensor) < elements || elementsOf(tensor) > elements + known->more))
        return fail(place, "is " + describe(tensor) + ", expected " + textOf(known->dtype) + " with " + number(elements) + " elements");
    }
  }
  return {};
}

/// Shapes that the engine, the stream and the loader rely on; kernels check their own.
Status PlanChecker::verifyEngine(const std::string &place, const fbs::Instruction &instruction) const {
  uint64_t ranks = plan.ranks();
  auto summed = [](const fbs::Tensor &tensor) { return dtypeOf(tensor) == DType::F32 || dtypeOf(tensor) == DType::F64; };
  auto overlap = [](const fbs::Tensor &a, const fbs::Tensor &b) {
    return a.buffer() == b.buffer() && a.offset() < b.offset() + bytesOf(b) && b.offset() < a.offset() + bytesOf(a);
  };
  switch (instruction.op_type()) {
  case fbs::OpAttrs::RecordEvent:
  case fbs::OpAttrs::WaitEvent: {
    bool record = instruction.op_type() == fbs::OpAttrs::RecordEvent;
    int64_t event = record ? instruction.op_as_RecordEvent()->event() : instruction.op_as_WaitEvent()->event();
    if (event < 0 || event >= int64_t{plan.events()})
      return fail(place, "event is " + std::to_string(event) + ", expected 0 to less than " + number(plan.events()));
    return {};
  }
  case fbs::OpAttrs::Copy: {
    const fbs::Tensor &source = operand(instruction, 0), &target = operand(instruction, 1);
    bool same =
        source.dtype() == target.dtype() && std::equal(source.dims()->begin(), source.dims()->end(), target.dims()->begin(), target.dims()->end());
    if (!same || overlap(source, target))
      return fail(place, "copies " + describe(source) + " to " + describe(target) + ", expected one shape and dtype in two places");
    return {};
  }
  case fbs::OpAttrs::AllGather:
  case fbs::OpAttrs::ReduceScatter: {
    bool gather = instruction.op_type() == fbs::OpAttrs::AllGather;
    const fbs::Tensor &shard = operand(instruction, gather ? 0 : 1), &whole = operand(instruction, gather ? 1 : 0);
    if (shard.dtype() != whole.dtype() || elementsOf(shard) > kLargestBytes / ranks || elementsOf(shard) * ranks != elementsOf(whole))
      return fail(place,
                  "shard is " + describe(shard) + " and whole " + describe(whole) + ", expected whole = " + number(ranks) + " shards of one dtype");
    if (!gather && !summed(shard))
      return fail(place, "sums " + describe(shard) + ", expected f32 or f64");
    if (overlap(shard, whole))
      return fail(place, "shard and whole overlap, expected two places");
    return {};
  }
  case fbs::OpAttrs::AllReduce:
    if (!summed(operand(instruction, 0)))
      return fail(place, "sums " + describe(operand(instruction, 0)) + ", expected f32 or f64");
    return {};
  case fbs::OpAttrs::LoadSection:
    return verifyLoader(place, instruction, instruction.op_as_LoadSection()->section());
  case fbs::OpAttrs::LoadQuantized:
    return verifyLoader(place, instruction, instruction.op_as_LoadQuantized()->section());
  case fbs::OpAttrs::NestScales:
    return verifyLoader(place, instruction, instruction.op_as_NestScales()->section());
  default:
    return {};
  }
}

Status PlanChecker::verifyLoader(const std::string &place, const fbs::Instruction &instruction, int64_t index) const {
  if (index < 0 || index >= int64_t{plan.sections()->size()})
    return fail(place, "section is " + std::to_string(index) + ", expected 0 to less than " + number(plan.sections()->size()));
  const fbs::Section &section = *plan.sections()->Get(static_cast<flatbuffers::uoffset_t>(index));
  const bool codes = section.kind() == fbs::SectionKind::Codes;
  if (codes != (instruction.op_type() != fbs::OpAttrs::LoadSection))
    return fail(place,
                "section " + std::to_string(index) + (codes ? " is of codes, expected one of floats" : " is of floats, expected one of codes"));
  if (instruction.op_type() == fbs::OpAttrs::LoadQuantized)
    return verifyLoadQuantized(place, instruction, section);
  if (instruction.op_type() == fbs::OpAttrs::NestScales)
    return verifyNestScales(place, instruction, section);
  const fbs::Tensor &target = operand(instruction, 0);
  bool fits = elementsOf(target) == section.elements() || elementsOf(target) == section.elements() / plan.ranks();
  if (!fits || !isFloatType(dtypeOf(target)) || dtypeOf(target) == DType::F64)
    return fail(place, "target is " + describe(target) + ", expected f32, bf16 or f16 with the section's " + number(section.elements()) +
                           " elements or a rank's share");
  return {};
}

Status PlanChecker::verifyInstruction(const std::string &listPlace, const fbs::Entry &entry, const fbs::Instruction &instruction) const {
  const OpSignature *op = findSignature(instruction.op_type());
  if (!op || !instruction.op())
    return fail(listPlace,
                "opcode is " + number(static_cast<uint64_t>(instruction.op_type())) + " or has no attributes, expected an instruction of this build");
  std::string place = listPlace + " (" + op->name + ")";
  if (instruction.stream() >= plan.streams())
    return fail(place, "stream is " + number(instruction.stream()) + ", expected less than " + number(plan.streams()));
  size_t count = instruction.operands() ? instruction.operands()->size() : 0;
  if (count != op->operands.size())
    return fail(place, "has " + number(count) + " operands, expected " + number(op->operands.size()));
  for (size_t i = 0; i < count; ++i) {
    uint32_t index = instruction.operands()->Get(static_cast<flatbuffers::uoffset_t>(i));
    if (index == kAbsent && op->operands[i].optional)
      continue;
    if (index >= plan.tensors()->size())
      return fail(place, std::string("operand ") + op->operands[i].name + " is tensor " + number(index) + ", expected less than " +
                             number(plan.tensors()->size()));
  }
  for (size_t i = 0; i < count; ++i)
    if (uint32_t index = instruction.operands()->Get(static_cast<flatbuffers::uoffset_t>(i)); index != kAbsent && !isCopy(instruction))
      if (const fbs::Buffer &buffer = *plan.buffers()->Get(plan.tensors()->Get(index)->buffer()); buffer.tier() == fbs::Tier::Disk)
        return fail(place, std::string("operand ") + op->operands[i].name + " is in buffer " + buffer.name()->str() +
                               " on disk, expected only copies to touch those");
  if (op->executor == OpExecutor::Loader && entry.kind() != fbs::EntryKind::Init)
    return fail(place, "is in an entry of kind " + std::string(fbs::EnumNameEntryKind(entry.kind())) + ", expected it in init alone");
  return verifyEngine(place, instruction);
}

Status PlanChecker::verifyEntries() const {
  if (!plan.entries() || plan.entries()->size() == 0)
    return fail("entries", "are missing, expected at least one");
  std::set<std::tuple<fbs::EntryKind, fbs::Position, uint32_t, uint32_t, uint32_t>> keys;
  for (flatbuffers::uoffset_t i = 0; i < plan.entries()->size(); ++i) {
    const fbs::Entry &entry = *plan.entries()->Get(i);
    std::string place = indexed("entries", i);
    if (entry.kind() > fbs::EntryKind::MAX || entry.position() > fbs::Position::MAX)
      return fail(place, "kind is " + number(static_cast<uint64_t>(entry.kind())) + " and position " +
                             number(static_cast<uint64_t>(entry.position())) + ", expected ones of this build");
    if (!entry.inputs() || !entry.outputs() || !entry.instructions())
      return fail(place, "lacks inputs, outputs or instructions, expected all three lists");
    for (uint32_t length : {entry.length(), entry.source_length()})
      if (uint64_t{entry.rows()} * length > (1u << 30))
        return fail(place, "has " + number(entry.rows()) + " rows of " + number(length) + " tokens, expected at most 2^30 tokens");
    if (!keys.insert({entry.kind(), entry.position(), entry.rows(), entry.length(), entry.source_length()}).second)
      return fail(place, "has the kind, position, rows and lengths of an entry before it, expected its own");
    ZP_RETURN_IF_ERROR(verifyNamed(place, entry));
    for (flatbuffers::uoffset_t k = 0; k < entry.instructions()->size(); ++k)
      ZP_RETURN_IF_ERROR(verifyInstruction(place + "." + indexed("instructions", k), entry, *entry.instructions()->Get(k)));
  }
  return {};
}

} // namespace zp::rt

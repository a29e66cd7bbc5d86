#include "tests/unit/runtime/plan/plan_spec.h"

namespace zp::rt::test {

static auto named(Fbb &fbb, const Named &list) {
  std::vector<flatbuffers::Offset<fbs::NamedTensor>> out;
  for (const auto &[name, tensor] : list)
    out.push_back(fbs::CreateNamedTensor(fbb, fbb.CreateString(name), tensor));
  return fbb.CreateVector(out);
}

std::vector<uint8_t> PlanSpec::payload() const {
  Fbb fbb;
  std::vector<flatbuffers::Offset<fbs::Setting>> settingList;
  for (const auto &[name, value] : settings)
    settingList.push_back(fbs::CreateSettingDirect(fbb, name.c_str(), value.c_str()));
  std::vector<flatbuffers::Offset<fbs::Space>> spaceList;
  for (const SpaceSpec &space : spaces)
    spaceList.push_back(fbs::CreateSpace(fbb, space.tier, space.bytes));
  std::vector<flatbuffers::Offset<fbs::Buffer>> bufferList;
  for (const BufferSpec &buffer : buffers)
    bufferList.push_back(fbs::CreateBufferDirect(fbb, buffer.name.c_str(), buffer.tier, buffer.kind, buffer.persistent, buffer.offset, buffer.bytes));
  std::vector<flatbuffers::Offset<fbs::Tensor>> tensorList;
  for (const TensorSpec &tensor : tensors)
    tensorList.push_back(fbs::CreateTensorDirect(fbb, tensor.buffer, tensor.offset, tensor.dtype, &tensor.dims));
  std::vector<flatbuffers::Offset<fbs::Section>> sectionList;
  for (const SectionSpec &section : sections) {
    std::vector<flatbuffers::Offset<fbs::Parameter>> parameters;
    for (const ParameterSpec &p : section.parameters)
      parameters.push_back(
          fbs::CreateParameterDirect(fbb, p.name.c_str(), p.checkpoint.c_str(), p.savedAs.c_str(), &p.shape, p.offset, p.initial, p.bound));
    sectionList.push_back(fbs::CreateSectionDirect(fbb, section.name.c_str(), 0, section.kind, section.dtype, section.elements,
                                                   section.parametersSharded, section.gradientsSharded, section.optimizerSharded, section.decayEnd,
                                                   &parameters, section.values, section.master, section.moment1, section.moment2, section.gradient,
                                                   section.quantType, section.blockSize, section.nested, section.prequantized));
  }
  std::vector<flatbuffers::Offset<fbs::Entry>> entryList;
  for (const EntrySpec &entry : entries) {
    std::vector<flatbuffers::Offset<fbs::Instruction>> instructions;
    for (const InstructionSpec &instruction : entry.instructions) {
      auto operands = fbb.CreateVector(instruction.operands);
      auto attributes = instruction.attributes ? instruction.attributes(fbb) : flatbuffers::Offset<void>();
      instructions.push_back(fbs::CreateInstruction(fbb, instruction.stream, operands, instruction.op, attributes));
    }
    auto inputs = named(fbb, entry.inputs), outputs = named(fbb, entry.outputs);
    entryList.push_back(fbs::CreateEntry(fbb, entry.kind, entry.position, entry.rows, entry.length, inputs, outputs, fbb.CreateVector(instructions),
                                         entry.sourceLength));
  }
  fbb.Finish(fbs::CreatePlanDirect(fbb, ranks, target.c_str(), &settingList, "", "{}", vocab, 0, &spaceList, &bufferList, &tensorList, &sectionList,
                                   &entryList, streams, events));
  return {fbb.GetBufferPointer(), fbb.GetBufferPointer() + fbb.GetSize()};
}

SamplePlan::SamplePlan(uint32_t rankCount) {
  ranks = rankCount;
  streams = 2;
  events = 1;
  settings = {{"lora_r", "8"}, {"seed", "1"}};
  constexpr int64_t elements = 128;
  shard = addBuffered("weights", DType::F32, {elements / rankCount}, true);
  gathered = addBuffered("gathered", DType::F32, {elements});
  table = addTensor(tensors[gathered].buffer, DType::F32, {8, 4});
  ids = addBuffered("ids", DType::I32, {4});
  scalars = addBuffered("scalars", DType::U8, {64});
  embedded = addBuffered("embedded", DType::F32, {4, 4});
  sum = addBuffered("sum", DType::F32, {4, 4}, true);
  buffers.push_back(buffers[tensors[gathered].buffer]);
  buffers.back().name = "late";
  late = addTensor(static_cast<uint32_t>(buffers.size() - 1), DType::F32, {4, 4});

  SectionSpec section;
  section.name = "unit0.frozen";
  section.elements = elements;
  section.parametersSharded = true;
  section.values = shard;
  section.parameters = {{"embed.weight", "embed.weight", "", {8, 4}, 0, fbs::Initial::Checkpoint},
                        {"norm.weight", "norm.weight", "", {4}, 64, fbs::Initial::Checkpoint}};
  sections = {section};

  EntrySpec initial;
  initial.kind = fbs::EntryKind::Init;
  initial.rows = initial.length = 0;
  initial.instructions = {makeLoadSection({shard}, 0, 0), makeFill({sum}, 0, 0.0)};
  EntrySpec train;
  train.rows = 2;
  train.length = 2;
  train.inputs = {{"input_ids", ids}, {"scalars", scalars}};
  train.outputs = {{"late", late}};
  train.instructions = {makeAllGather({shard, gathered}, 1),
                        makeRecordEvent({}, 1, 0),
                        makeWaitEvent({}, 0, 0),
                        makeEmbedding({table, ids, embedded}, 0),
                        makeScale({embedded, embedded}, 0, 2.0),
                        makeAccumulate({embedded, sum}, 0, 1.0),
                        makeCopy({embedded, late}, 0)};
  EntrySpec finish;
  finish.kind = fbs::EntryKind::ApplyGradients;
  finish.rows = finish.length = 0;
  finish.outputs = {{"sum", sum}};
  finish.instructions = {makeAllReduce({sum}, 0)};
  entries = {initial, train, finish};
}

} // namespace zp::rt::test

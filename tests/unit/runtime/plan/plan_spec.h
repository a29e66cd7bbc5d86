// A plan as plain structs, for tests: fill in, break, build.
#ifndef ZP_TESTS_UNIT_RUNTIME_PLAN_PLAN_SPEC_H
#define ZP_TESTS_UNIT_RUNTIME_PLAN_PLAN_SPEC_H

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/plan/plan_file.h"
#include "runtime/schema/dtypes.h"
#include "runtime/schema/plan_generated.h"

namespace zp::rt::test {

using Fbb = flatbuffers::FlatBufferBuilder;
inline constexpr uint32_t kNone = 0xffffffff;

struct SpaceSpec {
  fbs::Tier tier = fbs::Tier::Device;
  uint64_t bytes = 0;
};
struct BufferSpec {
  std::string name;
  fbs::Tier tier = fbs::Tier::Device;
  fbs::BufferKind kind = fbs::BufferKind::Working;
  bool persistent = false;
  uint64_t offset = 0, bytes = 0;
};
struct TensorSpec {
  uint32_t buffer = 0;
  uint64_t offset = 0;
  uint8_t dtype = 0;
  std::vector<int64_t> dims;
};
struct InstructionSpec {
  fbs::OpAttrs op = fbs::OpAttrs::NONE;
  std::vector<uint32_t> operands;
  std::function<flatbuffers::Offset<void>(Fbb &)> attributes;
  uint8_t stream = 0;
};
using Named = std::vector<std::pair<std::string, uint32_t>>;
struct EntrySpec {
  fbs::EntryKind kind = fbs::EntryKind::TrainStep;
  fbs::Position position = fbs::Position::Any;
  uint32_t rows = 1, length = 1, sourceLength = 0;
  Named inputs, outputs;
  std::vector<InstructionSpec> instructions;
};
struct ParameterSpec {
  std::string name, checkpoint, savedAs;
  std::vector<int64_t> shape;
  uint64_t offset = 0;
  fbs::Initial initial = fbs::Initial::Zero;
  float bound = 0;
};
struct SectionSpec {
  std::string name;
  fbs::SectionKind kind = fbs::SectionKind::Frozen;
  uint8_t dtype = 0;
  uint64_t elements = 0;
  bool parametersSharded = false, gradientsSharded = false, optimizerSharded = false;
  uint64_t decayEnd = 0;
  std::vector<ParameterSpec> parameters;
  uint32_t values = kNone, master = kNone, moment1 = kNone, moment2 = kNone, gradient = kNone;
  uint8_t quantType = 0;
  uint32_t blockSize = 0;
  bool nested = false, prequantized = false;
};

struct PlanSpec {
  uint32_t ranks = 1, streams = 1, events = 0, vocab = 8;
  std::string target = "cpu";
  std::vector<std::pair<std::string, std::string>> settings;
  std::vector<SpaceSpec> spaces;
  std::vector<BufferSpec> buffers;
  std::vector<TensorSpec> tensors;
  std::vector<SectionSpec> sections;
  std::vector<EntrySpec> entries;

  /// A buffer behind the last one of the device's space, at a multiple of 64; grows the space.
  uint32_t addBuffer(const std::string &name, uint64_t bytes, bool persistent = false) {
    if (spaces.empty())
      spaces.push_back({});
    uint64_t offset = (spaces[0].bytes + 63) / 64 * 64;
    buffers.push_back({name, fbs::Tier::Device, fbs::BufferKind::Working, persistent, offset, bytes});
    spaces[0].bytes = offset + bytes;
    return static_cast<uint32_t>(buffers.size() - 1);
  }
  uint32_t addTensor(uint32_t buffer, DType dtype, std::vector<int64_t> dims, uint64_t offset = 0) {
    tensors.push_back({buffer, offset, static_cast<uint8_t>(dtype), std::move(dims)});
    return static_cast<uint32_t>(tensors.size() - 1);
  }
  /// A buffer with one tensor that fills it; the tensor's index.
  uint32_t addBuffered(const std::string &name, DType dtype, std::vector<int64_t> dims, bool persistent = false) {
    uint64_t elements = 1;
    for (int64_t dim : dims)
      elements *= static_cast<uint64_t>(dim);
    return addTensor(addBuffer(name, bytesOf(dtype, elements), persistent), dtype, std::move(dims));
  }

  std::vector<uint8_t> payload() const;
  std::vector<uint8_t> file() const { return sealPlan(payload()); }
  StatusOr<PlanFile> load() const { return PlanFile::fromBytes(file(), "plan.fb"); }
};

/// instruction<fbs::FillAttrs>(operands, stream, attributes…): attributes as Create…Attrs takes them.
#define ZP_TEST_INSTRUCTION(Class)                                                                                                                   \
  template <typename... Attributes> InstructionSpec make##Class(std::vector<uint32_t> operands, uint8_t stream, Attributes... attributes) {          \
    return {fbs::OpAttrs::Class, std::move(operands), [=](Fbb &fbb) { return fbs::Create##Class##Attrs(fbb, attributes...).Union(); }, stream};      \
  }
ZP_TEST_INSTRUCTION(RecordEvent)
ZP_TEST_INSTRUCTION(WaitEvent)
ZP_TEST_INSTRUCTION(Copy)
ZP_TEST_INSTRUCTION(AllGather)
ZP_TEST_INSTRUCTION(ReduceScatter)
ZP_TEST_INSTRUCTION(AllReduce)
ZP_TEST_INSTRUCTION(LoadSection)
ZP_TEST_INSTRUCTION(LoadQuantized)
ZP_TEST_INSTRUCTION(NestScales)
ZP_TEST_INSTRUCTION(Fill)
ZP_TEST_INSTRUCTION(Add)
ZP_TEST_INSTRUCTION(Accumulate)
ZP_TEST_INSTRUCTION(Scale)
ZP_TEST_INSTRUCTION(Embedding)
ZP_TEST_INSTRUCTION(Matmul)
#undef ZP_TEST_INSTRUCTION

/// A small whole plan with two streams. A frozen table [8,4] (f32, 128 elements, sharded over the ranks) is gathered on
/// stream 1; train_step looks up four ids in it on stream 0, doubles them, and adds them into the persistent `sum`;
/// apply_gradients sums `sum` over the ranks. `late` uses the memory of `gathered` after its last use.
struct SamplePlan : PlanSpec {
  uint32_t shard, gathered, table, ids, scalars, embedded, sum, late;
  explicit SamplePlan(uint32_t ranks = 1);
  EntrySpec &init() { return entries[0]; }
  EntrySpec &step() { return entries[1]; }
  EntrySpec &apply() { return entries[2]; }
  static constexpr size_t kGather = 0, kRecord = 1, kWait = 2, kEmbed = 3, kScale = 4, kAccumulate = 5, kLate = 6;
};

} // namespace zp::rt::test

#endif // ZP_TESTS_UNIT_RUNTIME_PLAN_PLAN_SPEC_H

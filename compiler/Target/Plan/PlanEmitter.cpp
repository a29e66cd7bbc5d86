#include "compiler/Target/Plan/PlanEmitter.h"

#include "compiler/Support/Settings.h"
#include "compiler/Support/Storage.h"
#include "compiler/Support/Targets.h"
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/Plan/IR/PlanDialect.h"
#include "dialects/Zero/IR/ZeroDialect.h"
#include "runtime/schema/dtypes.h"
#include "runtime/schema/plan_generated.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace zp {

static constexpr uint32_t kAbsent = 0xffffffffu;

namespace {

using EncodedOp = std::pair<fbs::OpAttrs, flatbuffers::Offset<void>>;

EncodedOp encodeAttributes(Operation *instruction, flatbuffers::FlatBufferBuilder &fbb) {
  using namespace zp::plan;
#include "dialects/Plan/IR/PlanEncoder.cpp.inc"
  return {fbs::OpAttrs::NONE, 0};
}

FailureOr<DType> dtypeOf(Type type, Operation *at) {
  if (type.isF32())
    return DType::F32;
  if (type.isBF16())
    return DType::BF16;
  if (type.isF16())
    return DType::F16;
  if (type.isF64())
    return DType::F64;
  if (type.isInteger(32))
    return DType::I32;
  if (type.isInteger(64))
    return DType::I64;
  if (type.isInteger(8))
    return DType::U8;
  return at->emitError("plan files have no dtype for ") << type;
}

class Emitter {
public:
  explicit Emitter(ModuleOp module) : module(module) {}

  FailureOr<std::vector<uint8_t>> emit() {
    FailureOr<JobSettings> read = readSettings(module);
    if (failed(read))
      return failure();
    settings = *read;
    for (auto buffer : module.getOps<plan::BufferOp>())
      if (failed(addBuffer(buffer, nullptr)))
        return failure();
    SmallVector<flatbuffers::Offset<fbs::Section>> sections;
    for (auto section : module.getOps<zero::SectionOp>())
      sections.push_back(emitSection(section));
    SmallVector<flatbuffers::Offset<fbs::Entry>> entries;
    for (auto entry : module.getOps<plan::EntryOp>()) {
      FailureOr<flatbuffers::Offset<fbs::Entry>> emitted = emitEntry(entry);
      if (failed(emitted))
        return failure();
      entries.push_back(*emitted);
    }
    finish(sections, entries);
    return std::vector<uint8_t>(fbb.GetBufferPointer(), fbb.GetBufferPointer() + fbb.GetSize());
  }

private:
  //===--- buffers and windows --------------------------------------------------===//

  LogicalResult addBuffer(plan::BufferOp buffer, Operation *entry) {
    if (!buffer.getOffset())
      return buffer.emitOpError("has no offset; run plan-assign-arenas first");
    bufferIds[{entry, buffer.getSymNameAttr()}] = buffers.size();
    buffers.push_back(fbs::CreateBuffer(fbb, fbb.CreateSharedString(buffer.getSymName().str()), static_cast<fbs::Tier>(buffer.getTier()),
                                        static_cast<fbs::BufferKind>(buffer.getKind()), entry == nullptr, *buffer.getOffset(), buffer.getBytes()));
    return success();
  }

  uint32_t bufferId(StringAttr name, Operation *entry) const {
    auto own = bufferIds.find({entry, name});
    return own != bufferIds.end() ? own->second : bufferIds.lookup({nullptr, name});
  }

  /// The tensor's index; windows that agree share one.
  uint32_t tensor(uint32_t buffer, uint64_t offset, DType dtype, ArrayRef<int64_t> dims) {
    auto key = std::make_tuple(buffer, offset, static_cast<uint8_t>(dtype), std::vector<int64_t>(dims.begin(), dims.end()));
    auto [found, isNew] = tensorIds.try_emplace(key, tensors.size());
    if (isNew)
      tensors.push_back(fbs::CreateTensor(fbb, buffer, offset, static_cast<uint8_t>(dtype), dimensions(dims)));
    return found->second;
  }

  /// Shapes repeat all the time: each is stored once.
  flatbuffers::Offset<flatbuffers::Vector<int64_t>> dimensions(ArrayRef<int64_t> dims) {
    auto [found, isNew] = shapes.try_emplace(std::vector<int64_t>(dims.begin(), dims.end()));
    if (isNew)
      found->second = fbb.CreateVector(dims.data(), dims.size());
    return found->second;
  }

  FailureOr<uint32_t> tensorOf(Value memory, Operation *entry) {
    auto view = memory.getDefiningOp<plan::ViewOp>();
    auto type = cast<MemRefType>(memory.getType());
    FailureOr<DType> dtype = dtypeOf(type.getElementType(), view);
    if (failed(dtype))
      return failure();
    return tensor(bufferId(view.getBufferAttr().getAttr(), entry), view.getOffset(), *dtype, type.getShape());
  }

  //===--- sections ----------------------------------------------------------===//

  uint32_t stateTensor(zero::SectionOp section, StringRef what, int64_t elements, DType dtype) {
    auto name = StringAttr::get(module.getContext(), section.getSymName() + what);
    auto found = bufferIds.find({nullptr, name});
    return found == bufferIds.end() ? kAbsent : tensor(found->second, 0, dtype, {elements});
  }

  flatbuffers::Offset<fbs::Section> emitSection(zero::SectionOp section) {
    Type element = cast<RankedTensorType>(section.getType()).getElementType();
    std::optional<QuantRecords> records = quantRecordsOf(element);
    // A section of records counts bytes.
    auto count = [&](int64_t elements) { return records ? byteOffset(element, elements) : elements; };
    SmallVector<flatbuffers::Offset<fbs::Parameter>> parameters;
    for (zero::SlotAttr slot : section.getSlots().getAsRange<zero::SlotAttr>())
      parameters.push_back(emitParameter(cast<nn::ParameterOp>(symbols.lookupSymbolIn(module, slot.getParameter())), count(slot.getOffset())));
    bool trainable = section.getKind() == zero::SectionKind::Trainable;
    DType stored = records ? DType::U8 : *dtypeOf(element, section);
    uint32_t values = stateTensor(section, ".values", count(section.getStoredValues()), stored);
    uint32_t master = stateTensor(section, ".master", section.getStoredOptimizer(), DType::F32);
    if (trainable && master == kAbsent)
      master = values;
    return fbs::CreateSection(fbb, fbb.CreateString(section.getSymName().str()), section.getUnit(), static_cast<fbs::SectionKind>(section.getKind()),
                              static_cast<uint8_t>(trainable ? DType::F32 : stored), count(section.getElements()), section.getValuesSharded(),
                              section.getGradientSharded(), section.getOptimizerSharded(), section.getDecayEnd(), vectorOf(parameters), values,
                              master, stateTensor(section, ".moment1", section.getStoredOptimizer(), DType::F32),
                              stateTensor(section, ".moment2", section.getStoredOptimizer(), DType::F32),
                              stateTensor(section, ".gradient", section.getStoredGradient(), DType::F32),
                              records ? static_cast<uint8_t>(records->type) : 0, records ? static_cast<uint32_t>(records->blockSize) : 0,
                              records && records->nested, records && settings.bnb_4bit_prequantized);
  }

  flatbuffers::Offset<fbs::Parameter> emitParameter(nn::ParameterOp parameter, int64_t offset) {
    auto text = [&](std::optional<StringRef> value) { return fbb.CreateSharedString(value.value_or("").str()); };
    auto name = text(parameter.getSymName()), checkpoint = text(parameter.getCheckpoint()), savedAs = text(parameter.getSavedAs());
    auto shape = dimensions(cast<RankedTensorType>(parameter.getType()).getShape());
    return fbs::CreateParameter(fbb, name, checkpoint, savedAs, shape, offset, static_cast<fbs::Initial>(parameter.getInitial()),
                                static_cast<float>(parameter.getBound().convertToDouble()), parameter.getGeneratorOffset());
  }

  //===--- entries -----------------------------------------------------------===//

  FailureOr<flatbuffers::Offset<fbs::Entry>> emitEntry(plan::EntryOp entry) {
    SmallVector<flatbuffers::Offset<fbs::NamedTensor>> inputs, outputs;
    SmallVector<flatbuffers::Offset<fbs::Instruction>> instructions;
    for (Operation &op : entry.getBody().front()) {
      if (auto buffer = dyn_cast<plan::BufferOp>(op)) {
        if (failed(addBuffer(buffer, entry)))
          return failure();
      } else if (auto input = dyn_cast<plan::InputOp>(op)) {
        if (failed(addNamed(input.getName(), input.getTarget(), entry, inputs)))
          return failure();
      } else if (auto output = dyn_cast<plan::OutputOp>(op)) {
        if (failed(addNamed(output.getName(), output.getSource(), entry, outputs)))
          return failure();
      } else if (auto instruction = dyn_cast<plan::InstructionOpInterface>(op)) {
        if (failed(addInstruction(instruction, entry, instructions)))
          return failure();
      }
    }
    return fbs::CreateEntry(fbb, static_cast<fbs::EntryKind>(entry.getKind()), fbs::Position::Any, entry.getRows(), entry.getLength(),
                            vectorOf(inputs), vectorOf(outputs), vectorOf(instructions), entry.getSourceLength());
  }

  LogicalResult addNamed(StringRef name, Value memory, Operation *entry, SmallVectorImpl<flatbuffers::Offset<fbs::NamedTensor>> &out) {
    FailureOr<uint32_t> id = tensorOf(memory, entry);
    if (failed(id))
      return failure();
    out.push_back(fbs::CreateNamedTensor(fbb, fbb.CreateSharedString(name.str()), *id));
    return success();
  }

  LogicalResult addInstruction(plan::InstructionOpInterface instruction, Operation *entry,
                               SmallVectorImpl<flatbuffers::Offset<fbs::Instruction>> &out) {
    SmallVector<uint32_t> operands;
    for (plan::Access access : instruction.getAccesses()) {
      FailureOr<uint32_t> id = access.memory ? tensorOf(access.memory, entry) : FailureOr<uint32_t>(kAbsent);
      if (failed(id))
        return failure();
      operands.push_back(*id);
    }
    if (auto record = dyn_cast<plan::RecordEventOp>(*instruction))
      events = std::max<uint32_t>(events, record.getEvent() + 1);
    streams = std::max<uint32_t>(streams, instruction.getStreamId() + 1);
    EncodedOp encoded = encodeAttributes(instruction, fbb);
    auto list = fbb.CreateVector(operands.data(), operands.size());
    out.push_back(fbs::CreateInstruction(fbb, instruction.getStreamId(), list, encoded.first, encoded.second));
    return success();
  }

  //===--- the whole -----------------------------------------------------------===//

  template <typename T>
  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<T>>> vectorOf(const SmallVectorImpl<flatbuffers::Offset<T>> &items) {
    return fbb.CreateVector(items.data(), items.size());
  }

  static std::string textOf(int64_t value) { return std::to_string(value); }
  static std::string textOf(bool value) { return value ? "true" : "false"; }
  static std::string textOf(const std::string &value) { return value; }
  static std::string textOf(double value) {
    char text[40];
    snprintf(text, sizeof text, "%.17g", value);
    return text;
  }

  StringRef moduleText(StringRef name) const {
    auto attr = module->getAttrOfType<StringAttr>(name);
    return attr ? attr.getValue() : StringRef();
  }

  void finish(const SmallVectorImpl<flatbuffers::Offset<fbs::Section>> &sections, const SmallVectorImpl<flatbuffers::Offset<fbs::Entry>> &entries) {
    SmallVector<flatbuffers::Offset<fbs::Setting>> list;
    settings.forEach(
        [&](const char *name, const auto &value, const char *) { list.push_back(fbs::CreateSettingDirect(fbb, name, textOf(value).c_str())); });
    SmallVector<flatbuffers::Offset<fbs::Space>> spaces;
    auto arenas = module->getAttrOfType<DictionaryAttr>("plan.arena_bytes");
    for (plan::Tier tier : {plan::Tier::Device, plan::Tier::Pinned, plan::Tier::Host, plan::Tier::Disk})
      if (auto bytes = arenas ? arenas.getAs<IntegerAttr>(plan::stringifyTier(tier)) : IntegerAttr())
        spaces.push_back(fbs::CreateSpace(fbb, static_cast<fbs::Tier>(tier), bytes.getInt()));
    auto vocabulary = module->getAttrOfType<IntegerAttr>("zp.vocab_size");
    const Target &chosen = targetOf(module);
    auto target = fbb.CreateString(chosen.name.str()), adapter = fbb.CreateString(moduleText("zp.adapter_config").str()),
         model = fbb.CreateString(moduleText("zp.model_config").str());
    fbb.Finish(fbs::CreatePlan(fbb, settings.num_processes, target, vectorOf(list), adapter, model, vocabulary ? vocabulary.getInt() : 0,
                               chosen.reserveBytes, vectorOf(spaces), vectorOf(buffers), vectorOf(tensors), vectorOf(sections), vectorOf(entries),
                               streams, events));
  }

  ModuleOp module;
  SymbolTableCollection symbols;
  JobSettings settings;
  flatbuffers::FlatBufferBuilder fbb{1 << 20};
  SmallVector<flatbuffers::Offset<fbs::Buffer>> buffers;
  SmallVector<flatbuffers::Offset<fbs::Tensor>> tensors;
  llvm::DenseMap<std::pair<Operation *, StringAttr>, uint32_t> bufferIds;
  std::map<std::tuple<uint32_t, uint64_t, uint8_t, std::vector<int64_t>>, uint32_t> tensorIds;
  std::map<std::vector<int64_t>, flatbuffers::Offset<flatbuffers::Vector<int64_t>>> shapes;
  uint32_t streams = 1, events = 0;
};

} // namespace

FailureOr<std::vector<uint8_t>> emitPlan(ModuleOp module) { return Emitter(module).emit(); }

} // namespace zp

#include "compiler/Conversion/ToPlan/ToPlan.h"

#include "compiler/Conversion/ToPlan/Passes.h"

namespace zp {
#define GEN_PASS_DEF_CONVERTTOPLANPASS
#include "compiler/Conversion/ToPlan/Passes.h.inc"
} // namespace zp

using namespace mlir;

namespace zp {

void Lowering::fill(Operation *from, const Place &place, double value) { emit<plan::FillOp>(from, memory.view(place), APFloat(value)); }
void Lowering::copy(Operation *from, const Place &source, const Place &target) { emit<plan::CopyOp>(from, memory.view(source), memory.view(target)); }

void Lowering::zeroBeforeFirstWrite(Operation *from, StringAttr buffer) {
  auto found = packed.find(buffer);
  if (found == packed.end())
    return;
  fill(from, found->second, 0);
  packed.erase(found);
}

Place Lowering::defineZeroed(Operation *from, Value result) {
  Place place = memory.define(result);
  fill(from, place, 0);
  return place;
}

Place Lowering::defineSum(Operation *from, Value addend, Value result) {
  if (!addend)
    return memory.define(result);
  Place target = memory.defineInPlaceOf(result, addend, from);
  if (!(target == memory.placeOf(addend)))
    copy(from, memory.placeOf(addend), target);
  return target;
}

Place Lowering::stateOf(FlatSymbolRefAttr name, Value value) {
  auto declared = SymbolTable::lookupNearestSymbolFrom<nn::StateOp>(module, name);
  bool dequantized = declared && declared->hasAttr(nn::NNDialect::kDequantizedAttr);
  return state.persistent(("state." + name.getValue()).str(), cast<RankedTensorType>(value.getType()),
                          dequantized ? plan::BufferKind::Dequantized : plan::BufferKind::Working);
}

Value Lowering::workspace(uint64_t bytes) {
  auto type = RankedTensorType::get({static_cast<int64_t>(bytes)}, builder.getI8Type());
  return memory.view(memory.allocate(type, plan::BufferKind::Working));
}

Value Lowering::productWorkspace(uint64_t more) {
  uint64_t bytes = target.productWorkspaceBytes + more;
  return bytes ? workspace(bytes) : Value();
}

} // namespace zp

namespace {

zp::plan::EntryKind entryKind(zp::nn::ProgramKind kind) {
  switch (kind) {
  case zp::nn::ProgramKind::Init:
    return zp::plan::EntryKind::Init;
  case zp::nn::ProgramKind::TrainStep:
    return zp::plan::EntryKind::TrainStep;
  case zp::nn::ProgramKind::ApplyGradients:
    return zp::plan::EntryKind::ApplyGradients;
  case zp::nn::ProgramKind::Evaluate:
    return zp::plan::EntryKind::Evaluate;
  case zp::nn::ProgramKind::Logits:
    return zp::plan::EntryKind::Logits;
  case zp::nn::ProgramKind::Prefill:
    return zp::plan::EntryKind::Prefill;
  case zp::nn::ProgramKind::Decode:
    return zp::plan::EntryKind::Decode;
  case zp::nn::ProgramKind::Encode:
    return zp::plan::EntryKind::Encode;
  case zp::nn::ProgramKind::Reorder:
    return zp::plan::EntryKind::Reorder;
  }
  llvm_unreachable("all kinds are handled");
}

struct ConvertToPlan : zp::impl::ConvertToPlanPassBase<ConvertToPlan> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<zp::JobSettings> settings = zp::readSettings(module);
    if (failed(settings))
      return signalPassFailure();
    llvm::StringMap<zp::zero::SectionOp> sections;
    for (auto section : module.getOps<zp::zero::SectionOp>())
      sections[section.getSymName()] = section;
    zp::ModuleMemory state(module);
    for (auto program : llvm::make_early_inc_range(module.getOps<zp::nn::ProgramOp>())) {
      OpBuilder b(program);
      auto entry = zp::plan::EntryOp::create(b, program.getLoc(), program.getSymName(), entryKind(program.getKind()), program.getRows(),
                                             program.getLength(), program.getSourceLength());
      b.setInsertionPointToStart(&entry.getBody().emplaceBlock());
      Block &body = program.getBody().front();
      zp::ProgramMemory memory(body, b);
      auto find = [&](StringRef name) { return sections.lookup(name); };
      zp::Lowering lowering{module, *settings, zp::targetOf(module), state, memory, b, find, program.getSymName(), 0};
      zp::chooseDestinations(body, lowering);
      for (Operation &op : body) {
        for (Value result : op.getResults())
          if (zp::Place destination = memory.destinationOf(result))
            lowering.zeroBeforeFirstWrite(&op, destination.buffer);
        if (!zp::lowerNN(&op, lowering) && !zp::lowerNF4(&op, lowering) && !zp::lowerZero(&op, lowering)) {
          op.emitOpError("has no lowering to plan");
          return signalPassFailure();
        }
      }
      program.erase();
    }
    for (auto stateOp : llvm::make_early_inc_range(module.getOps<zp::nn::StateOp>()))
      stateOp.erase();
  }
};

} // namespace

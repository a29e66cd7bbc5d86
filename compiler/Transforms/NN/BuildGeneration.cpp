#include "compiler/Support/Settings.h"
#include "compiler/Transforms/NN/GenerationPrograms.h"
#include "compiler/Transforms/NN/Passes.h"

namespace zp::nn {
#define GEN_PASS_DEF_BUILDGENERATIONPASS
#include "compiler/Transforms/NN/Passes.h.inc"
} // namespace zp::nn

using namespace mlir;
using namespace zp::nn;

namespace {

/// Values are kept as they are read: nothing needs a master.
void freeze(ModuleOp module, Type compute) {
  for (auto parameter : module.getOps<ParameterOp>()) {
    if (!parameter.getTrainable())
      continue;
    parameter.setTrainable(false);
    parameter.setDecayed(false);
    if (!parameter.getInF32())
      parameter.setTypeAttr(TypeAttr::get(cast<RankedTensorType>(parameter.getType()).clone(compute)));
  }
}

struct BuildGeneration : zp::nn::impl::BuildGenerationPassBase<BuildGeneration> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<zp::JobSettings> settings = zp::readSettings(module);
    if (failed(settings))
      return signalPassFailure();
    ProgramOp train = findProgram(module, ProgramKind::TrainStep);
    if (!settings->generate || !train)
      return;
    const bool encodes = train.getSourceLength() > 0;
    const int64_t places = settings->max_length; // of an encoder-decoder max_target_length, as import settles it
    const GenerationShape shape{settings->generation_batch_size, settings->num_beams, places};
    const Sides sides(train);
    auto build = [&](ProgramKind kind, int64_t length) {
      return GenerationBuilder(train, sides, shape, kind, stringifyProgramKind(kind), length).build();
    };
    // A decoder that a source leads begins with a single token: there is no prompt to read.
    if (failed(encodes ? build(ProgramKind::Encode, 0) : build(ProgramKind::Prefill, std::min(settings->prefill_length, places))) ||
        failed(build(ProgramKind::Decode, 1)))
      return signalPassFailure();
    if (shape.beams > 1)
      buildReorder(findProgram(module, ProgramKind::Decode), shape);
    for (auto program : llvm::make_early_inc_range(module.getOps<ProgramOp>()))
      if (program.getKind() == ProgramKind::TrainStep)
        program.erase();
    freeze(module, zp::computeType(*settings, &getContext()));
    for (auto state : llvm::make_early_inc_range(module.getOps<StateOp>()))
      if (SymbolTable::symbolKnownUseEmpty(state, module))
        state.erase();
  }
};

} // namespace

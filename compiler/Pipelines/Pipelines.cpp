#include "compiler/Pipelines/Pipelines.h"

#include "compiler/Conversion/ToPlan/Passes.h"
#include "compiler/Transforms/NF4/Passes.h"
#include "compiler/Transforms/NN/Passes.h"
#include "compiler/Transforms/Plan/Passes.h"
#include "compiler/Transforms/Zero/Passes.h"

namespace zp {

static void buildTrain(mlir::OpPassManager &passes) {
  passes.addPass(nn::createAttachAdaptersPass());
  // Types before programs multiply: evaluation and backward pass are made of what is there then.
  passes.addPass(nn::createSetPrecisionPass());
  passes.addPass(nf4::createQuantizeFrozenWeightsPass());
  // A plan that generates has no train_step after this, and the passes below find nothing to do.
  passes.addPass(nn::createBuildGenerationPass());
  passes.addPass(nn::createBuildEvaluationPass());
  passes.addPass(nn::createBuildBackwardPass());
  passes.addPass(nn::createScaleLossPass());
  passes.addPass(nn::createInsertOptimizerPass());
  passes.addPass(nn::createVerifyTrainablePass());
  // Last, because it must see every value that the backward pass keeps.
  passes.addPass(nn::createRematerializePass());
}

static void buildFuse(mlir::OpPassManager &passes) {
  passes.addPass(nn::createFuseCrossEntropyPass());
  // Linears take their additions first; what is left over goes into the norms' gradients.
  passes.addPass(nn::createFuseLinearEpiloguePass());
  passes.addPass(nn::createFuseAdapterBranchPass());
  // A product that took its adapter as a branch is free for another addend: the residual.
  passes.addPass(nn::createFuseLinearEpiloguePass());
  passes.addPass(nn::createFuseResidualGradientPass());
  // Products are what they will be; now those with 4-bit weights take their codes.
  passes.addPass(nf4::createFuseDequantMatmulPass());
}

static void buildDistribute(mlir::OpPassManager &passes) {
  passes.addPass(zero::createPartitionStatePass());
  passes.addPass(zero::createInsertGathersPass());
  passes.addPass(zero::createInsertReductionsPass());
  passes.addPass(zero::createOffloadCheckpointsPass());
  // Where weights lie is settled: those that stay may stay as floats.
  passes.addPass(zero::createCacheDequantizedPass());
  passes.addPass(zero::createVerifyPartitionPass());
}

static void buildPlan(mlir::OpPassManager &passes) {
  passes.addPass(createConvertToPlanPass());
  // Copies between memories are instructions like others: streams and places come after them.
  passes.addPass(plan::createLegalizeTiersPass());
  // Every buffer is there now, so what memory is free is known; what moves still has futures, not events.
  passes.addPass(plan::createAdvanceGathersPass());
  // What gathers that come sooner leave is for results that needn't be computed again, and what these leave for weights.
  passes.addPass(plan::createReuseResultsPass());
  passes.addPass(plan::createShareDequantizedPass());
  // Streams before places: a buffer that a collective fills is live until the event is awaited.
  passes.addPass(plan::createScheduleStreamsPass());
  passes.addPass(plan::createAssignArenasPass());
}

void buildPhase(Phase phase, mlir::OpPassManager &passes) {
  switch (phase) {
  case Phase::Import:
  case Phase::Emit:
    return;
  case Phase::Train:
    return buildTrain(passes);
  case Phase::Fuse:
    return buildFuse(passes);
  case Phase::Distribute:
    return buildDistribute(passes);
  case Phase::Schedule:
    passes.addPass(zero::createPrefetchGathersPass());
    passes.addPass(zero::createDeferWaitsPass());
    passes.addPass(zero::createVerifyPartitionPass());
    return;
  case Phase::Plan:
    return buildPlan(passes);
  }
}

} // namespace zp

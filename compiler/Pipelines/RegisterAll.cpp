#include "compiler/Pipelines/RegisterAll.h"

#include "compiler/Conversion/ToPlan/Passes.h"
#include "compiler/Transforms/NF4/Passes.h"
#include "compiler/Transforms/NN/Passes.h"
#include "compiler/Transforms/Plan/Passes.h"
#include "compiler/Transforms/Zero/Passes.h"

namespace zp {

void registerAllDialects(mlir::DialectRegistry &registry) { registry.insert<nn::NNDialect, nf4::NF4Dialect, zero::ZeroDialect, plan::PlanDialect>(); }

void registerAllPasses() {
  nn::registerPasses();
  nf4::registerPasses();
  zero::registerPasses();
  plan::registerPasses();
  registerPasses();
}

} // namespace zp

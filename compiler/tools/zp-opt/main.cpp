// mlir-opt for our dialects and passes.
#include "compiler/Pipelines/RegisterAll.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  zp::registerAllDialects(registry);
  zp::registerAllPasses();
  mlir::registerTransformsPasses();
  return mlir::failed(mlir::MlirOptMain(argc, argv, "ZeroPlan optimizer driver\n", registry));
}

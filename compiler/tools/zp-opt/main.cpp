// mlir-opt for our dialects and passes.
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/Zero/IR/ZeroDialect.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<zp::nn::NNDialect, zp::zero::ZeroDialect>();
  mlir::registerTransformsPasses();
  return mlir::failed(mlir::MlirOptMain(argc, argv, "ZeroPlan optimizer driver\n", registry));
}

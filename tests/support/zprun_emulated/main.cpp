// zprun with an emulated GPU: runs plans for CUDA on this CPU, slowly, so that all but the hardware can be tested anywhere.
#include <cstdlib>

#include "runtime/executor/cuda/cuda_executor.h"
#include "runtime/tools/zprun/zprun.h"

int main(int argc, char **argv) {
  ::setenv("ZP_DEVICE_COLLECTIVES", "staged", 0); // the NCCL of this machine, if any, wants a real GPU
  ::setenv("ZP_DEVICE_ATTENTION", "own", 0);      // the kernels are what is to be tested; "fused" tests what is around cuDNN's
  return zp::rt::zprunMain(argc, argv, zp::rt::createCudaExecutor);
}

#ifdef ZP_CUDA
#include "runtime/executor/cuda/cuda_executor.h"
#endif
#include "runtime/tools/zprun/zprun.h"

int main(int argc, char **argv) {
#ifdef ZP_CUDA
  return zp::rt::zprunMain(argc, argv, zp::rt::createCudaExecutor);
#else
  return zp::rt::zprunMain(argc, argv);
#endif
}

// A library of NVIDIA's, which is looked for when a plan for a GPU runs.
#ifndef ZP_RUNTIME_DEVICE_CUDA_LIBRARY_H
#define ZP_RUNTIME_DEVICE_CUDA_LIBRARY_H

#include <string>

namespace zp::rt::cuda {

/// By its name as the loader looks, LD_LIBRARY_PATH first; where nobody there has it, in the toolkit's folder of this build and in
/// $CUDA_HOME. Null: `why` has the loader's words, those of the first look.
void *openLibrary(const char *name, std::string &why);

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_DEVICE_CUDA_LIBRARY_H

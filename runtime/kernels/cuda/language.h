// The CUDA language, or its emulation when no CUDA compiler reads this: kernels are written once, in what both have.
#ifndef ZP_RUNTIME_KERNELS_CUDA_LANGUAGE_H
#define ZP_RUNTIME_KERNELS_CUDA_LANGUAGE_H

#include <cstdint>

#include "runtime/device/cuda/cuda_api.h"

#ifndef __CUDACC__
#include "runtime/device/cuda/emulated/grid.h"
#include "runtime/device/cuda/emulated/streams.h"
#endif

#define ZP_DEVICE __device__ __forceinline__
/// Before a loop whose arrays have to be registers, where it is too long for nvcc to unroll unasked.
#ifdef __CUDACC__
#define ZP_UNROLL _Pragma("unroll")
#else
#define ZP_UNROLL
#endif

namespace zp::rt::cuda {

/// Starts `blocks` blocks of `threads` threads; none when there is nothing to do.
template <typename... Parameters, typename... Arguments>
void launch(Stream stream, int64_t blocks, int threads, void (*kernel)(Parameters...), Arguments... arguments) {
  if (blocks <= 0)
    return;
#ifdef __CUDACC__
  kernel<<<static_cast<unsigned>(blocks), static_cast<unsigned>(threads), 0, static_cast<cudaStream_t>(stream)>>>(arguments...);
#else
  if (emulated::isLaunchable(blocks, threads)) // arguments are taken now, as a launch takes them
    emulated::ask(stream, [=] { emulated::runGrid(static_cast<unsigned>(blocks), static_cast<unsigned>(threads), [&] { kernel(arguments...); }); });
#endif
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_LANGUAGE_H

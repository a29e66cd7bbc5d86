// Who computes cases of fused attention: cuDNN, loaded when the first plan with such a case runs; loops on the emulated device.
#ifndef ZP_RUNTIME_KERNELS_CUDA_FUSED_GRAPHS_H
#define ZP_RUNTIME_KERNELS_CUDA_FUSED_GRAPHS_H

#include <memory>
#include <string>

#include "runtime/base/status.h"
#include "runtime/device/cuda/cuda_api.h"
#include "runtime/kernels/cuda/fused_case.h"

namespace zp::rt::cuda {

/// One case, ready to run as often as wanted, in captures too. Gives the same bits, run after run.
class FusedGraph {
public:
  virtual ~FusedGraph() = default;
  virtual uint64_t workspaceBytes() const = 0;
  virtual Status run(const FusedOperands &operands, void *workspace, Stream stream) = 0;
};

class FusedGraphs {
public:
  virtual ~FusedGraphs() = default;
  /// Whose they are, with the version.
  virtual std::string name() const = 0;
  /// Takes its time: kernels are compiled. Errors: Config, when the case isn't one of theirs, with their words.
  virtual StatusOr<std::unique_ptr<FusedGraph>> build(const FusedCase &shape) = 0;
};

/// For the device that was selected. Errors: Config, naming what is missing.
StatusOr<std::unique_ptr<FusedGraphs>> createFusedGraphs(const Properties &device);

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_FUSED_GRAPHS_H

// A plan's streams on a GPU, and the events between them.
#ifndef ZP_RUNTIME_EXECUTOR_CUDA_CUDA_STREAMS_H
#define ZP_RUNTIME_EXECUTOR_CUDA_CUDA_STREAMS_H

#include <cstdint>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/device/cuda/cuda_api.h"
#include "runtime/executor/cuda/cuda_memory.h"
#include "runtime/kernels/cuda/context.h"
#include "runtime/schema/plan_generated.h"

namespace zp::rt {

class CudaStreams {
public:
  CudaStreams() = default;
  CudaStreams(const CudaStreams &) = delete;
  CudaStreams &operator=(const CudaStreams &) = delete;
  ~CudaStreams();

  /// A context for each of the plan's streams: `common` with a stream, tables and scratch memory of its own. Before anything else.
  /// Errors: HostMemory, DeviceFault.
  Status open(const fbs::Plan &plan, const cuda::Context &common, CudaMemory &memory);

  const std::vector<cuda::Context> &contexts() const { return byStream; }
  const cuda::Context &context(uint32_t stream) const { return byStream[stream]; }
  /// The stream of kernels, before and after whose work an entry's other streams begin and end.
  cuda::Stream compute() const;
  /// One of the plan's.
  cuda::Event event(int64_t number) const { return events[static_cast<size_t>(number)]; }

  /// The others go on after what the stream of kernels was asked for.
  Status fork();
  /// The stream of kernels goes on after what the others were asked for.
  Status join();

private:
  std::vector<cuda::Context> byStream;
  std::vector<cuda::Event> events, joining; ///< the plan's, and one a stream for begin and end of an entry
};

} // namespace zp::rt

#endif // ZP_RUNTIME_EXECUTOR_CUDA_CUDA_STREAMS_H

#include "runtime/executor/cuda/cuda_streams.h"

#include "runtime/kernels/cuda/kernels.h"
#include "runtime/kernels/cuda/products.h"
#include "runtime/kernels/cuda/quant_tables.h"

namespace zp::rt {
namespace {

/// The plan's stream of kernels.
constexpr uint32_t kComputeStream = 0;

} // namespace

CudaStreams::~CudaStreams() {
  for (const std::vector<cuda::Event> *list : {&events, &joining})
    for (cuda::Event event : *list)
      cuda::destroyEvent(event);
  for (const cuda::Context &context : byStream) {
    for (cuda::Event event : {context.parting, context.meeting})
      if (event)
        cuda::destroyEvent(event);
    for (cuda::Stream stream : {context.aside, context.stream})
      if (stream)
        cuda::destroyStream(stream);
  }
}

Status CudaStreams::open(const fbs::Plan &plan, const cuda::Context &common, CudaMemory &memory) {
  for (uint32_t s = 0; s < plan.streams(); ++s) {
    cuda::Context &context = byStream.emplace_back(common);
    // What carries collectives and transfers goes first: they are short of multiprocessors and others wait for them.
    ZP_ASSIGN_OR_RETURN(context.stream, cuda::createStream(s == kComputeStream ? cuda::Priority::Normal : cuda::Priority::Urgent));
    if (s == kComputeStream)
      ZP_RETURN_IF_ERROR(context.products->reserve(context.stream));
    ZP_ASSIGN_OR_RETURN(context.scratch, memory.device(cuda::kScratchBytes));
    ZP_ASSIGN_OR_RETURN(context.aside, cuda::createStream(cuda::Priority::Spare));
    ZP_ASSIGN_OR_RETURN(context.parting, cuda::createEvent());
    ZP_ASSIGN_OR_RETURN(context.meeting, cuda::createEvent());
    ZP_ASSIGN_OR_RETURN(void *tables, memory.device(sizeof(cuda::QuantTables)));
    ZP_RETURN_IF_ERROR(cuda::placeQuantTables(context, tables));
    ZP_ASSIGN_OR_RETURN(cuda::Event event, cuda::createEvent());
    joining.push_back(event);
  }
  for (uint32_t e = 0; e < plan.events(); ++e) {
    ZP_ASSIGN_OR_RETURN(cuda::Event event, cuda::createEvent());
    events.push_back(event);
  }
  return {};
}

cuda::Stream CudaStreams::compute() const { return byStream[kComputeStream].stream; }

Status CudaStreams::fork() {
  ZP_RETURN_IF_ERROR(cuda::record(joining[kComputeStream], compute()));
  for (size_t s = kComputeStream + 1; s < byStream.size(); ++s)
    ZP_RETURN_IF_ERROR(cuda::wait(joining[kComputeStream], byStream[s].stream));
  return {};
}

Status CudaStreams::join() {
  for (size_t s = kComputeStream + 1; s < byStream.size(); ++s) {
    ZP_RETURN_IF_ERROR(cuda::record(joining[s], byStream[s].stream));
    ZP_RETURN_IF_ERROR(cuda::wait(joining[s], compute()));
  }
  return {};
}

} // namespace zp::rt

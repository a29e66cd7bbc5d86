#include "runtime/executor/cuda/cuda_executor.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include "runtime/collective/device/device_collectives.h"
#include "runtime/executor/cuda/await_stream.h"
#include "runtime/executor/cuda/cuda_memory.h"
#include "runtime/executor/cuda/cuda_streams.h"
#include "runtime/executor/cuda/disk_copies.h"
#include "runtime/executor/cuda/event_times.h"
#include "runtime/executor/cuda/host_loader.h"
#include "runtime/executor/cuda/host_mirrors.h"
#include "runtime/executor/cuda/peer_watch.h"
#include "runtime/executor/moved_bytes.h"
#include "runtime/executor/resolve.h"
#include "runtime/kernels/cuda/fused_attention.h"
#include "runtime/kernels/cuda/kernels.h"
#include "runtime/kernels/cuda/products.h"

namespace zp::rt {
namespace {

/// "staged" or "nccl": who carries collectives, instead of the choice made here.
constexpr const char *kCollectivesVariable = "ZP_DEVICE_COLLECTIVES";
/// "own" or "fused": whose kernels compute attention.
constexpr const char *kAttentionVariable = "ZP_DEVICE_ATTENTION";

class CudaExecutor final : public Executor {
public:
  CudaExecutor(const PlanFile &file, Communicator &communicator, ExecutorOptions options)
      : file(file), plan(file.plan()), communicator(communicator), options(std::move(options)) {}
  ~CudaExecutor() override;

  Status start() { return ended(prepare()); }
  Status run(uint32_t entry) override {
    const PeerWatch::Inside inside(peerWatch.get());
    return ended(runEntry(entry));
  }
  TensorView view(uint32_t tensor) override;
  Status bring(uint32_t tensor, std::vector<std::byte> &storage, TensorView &view) override {
    const PeerWatch::Inside inside(peerWatch.get());
    return ended(read(tensor, storage, view));
  }
  Status putBack(uint32_t tensor, const TensorView &view) override {
    const PeerWatch::Inside inside(peerWatch.get());
    return ended(write(tensor, view));
  }
  uint64_t gatheredBytes() const override { return moved.gathered; }
  uint64_t reducedBytes() const override { return moved.reduced; }
  std::array<double, 256> secondsByOpcode() const override { return seconds; }
  StepTimes &times() override { return stepTimes; }
  std::optional<DeviceFacts> deviceFacts() const override {
    const uint64_t free = cuda::freeMemory();
    return DeviceFacts{fusedAttention ? fusedAttention->computedBy() : std::string("own: ") + kAttentionVariable + " says so",
                       freeBefore - std::min(freeBefore, free)};
  }
  std::vector<std::string> notices() const override { return {memory.disk().notice(), fusedAttention ? fusedAttention->notice() : std::string()}; }

private:
  struct EntryRun {
    cuda::Graph graph = nullptr;
    bool keepable = true; ///< by a graph
    uint64_t runs = 0;
  };

  Status prepare();
  Status runEntry(uint32_t entry);
  Status read(uint32_t tensor, std::vector<std::byte> &storage, TensorView &view);
  Status write(uint32_t tensor, const TensorView &view);
  Status ended(Status status);
  void destroyGraphs();

  Status checkOptions() const;
  Status openCollectives(const cuda::Properties &device);
  Status openStaged();
  Status openStreams(int multiprocessors);
  Status openAttention(const cuda::Properties &device);
  Status openTimes();
  bool needsHost(const ResolvedInstruction &instruction) const;

  Status issue(uint32_t entry);
  Status issueMeasured(uint32_t entry);
  Status capture(uint32_t entry);
  Status synchronizeAll();
  Status perform(const ResolvedInstruction &instruction);
  Status copy(const ResolvedInstruction &instruction, cuda::Stream stream);
  uint64_t diskOffset(uint32_t tensor) const;

  const PlanFile &file;
  const fbs::Plan &plan;
  Communicator &communicator;
  ExecutorOptions options;
  CudaMemory memory;
  std::unique_ptr<cuda::Products> products;
  std::unique_ptr<cuda::FusedAttention> fusedAttention; ///< null: our own kernels compute all
  std::unique_ptr<DeviceCollectives> collectives;
  std::vector<TensorView> views;
  HostMirrors mirrors;
  DiskCopies disk;
  ResolvedPlan resolved;
  std::vector<EntryRun> entries;
  uint64_t freeBefore = 0; ///< bytes of the device, when it was selected
  MovedBytes moved;
  std::array<double, 256> seconds{}; ///< of measured and traced runs: what a graph does isn't timed
  StepTimes stepTimes;
  EventTimes eventTimes; ///< open where times are asked for
  std::optional<HostLoader> loader;
  CudaStreams streams; ///< gone before what work on them reads
  std::atomic<DeviceCollectives *> watched = nullptr;
  std::unique_ptr<PeerWatch> peerWatch; ///< null where no call of the driver waits for a peer
};

void CudaExecutor::destroyGraphs() {
  for (EntryRun &entry : entries)
    if (cuda::Graph graph = std::exchange(entry.graph, nullptr))
      cuda::destroyGraph(graph);
}

/// After an error nothing that is destroyed later waits for a peer. Whoever gave `failed` may not come back from it.
Status CudaExecutor::ended(Status status) {
  if (status.ok())
    return status;
  if (options.failed)
    options.failed(status);
  destroyGraphs();
  if (collectives)
    collectives->abort();
  return status;
}

CudaExecutor::~CudaExecutor() {
  peerWatch.reset();
  destroyGraphs();
}

Status CudaExecutor::checkOptions() const {
  const char *flag = options.shadow ? "--shadow" : options.reference ? "--reference" : nullptr;
  if (!flag)
    return {};
  return Status(ErrorCode::Config,
                std::string(flag) + ": is of CPU plans, " + file.path() + " is for cuda; expected another flag, or a plan of --target cpu");
}

Status CudaExecutor::prepare() {
  ZP_RETURN_IF_ERROR(checkOptions());
  ZP_RETURN_IF_ERROR(checkInstructions(file));
  ZP_ASSIGN_OR_RETURN(cuda::Properties device, cuda::selectDevice(communicator.localRank()));
  ZP_RETURN_IF_ERROR(CudaMemory::checkRoom(plan, device));
  freeBefore = device.freeMemory;
  // Libraries before memory: one that is missing is told at once.
  ZP_ASSIGN_OR_RETURN(products, cuda::createProducts());
  ZP_RETURN_IF_ERROR(openCollectives(device));
  ZP_RETURN_IF_ERROR(memory.allocate(plan, options.diskDirectory));
  auto address = [&](uint32_t buffer) -> void * { return memory.buffer(*plan.buffers()->Get(buffer)); };
  views = viewsOf(plan, address);
  ZP_ASSIGN_OR_RETURN(resolved, resolve(file, address));
  ZP_RETURN_IF_ERROR(openAttention(device));
  ZP_RETURN_IF_ERROR(openStreams(device.multiprocessors));
  ZP_RETURN_IF_ERROR(openStaged());
  ZP_RETURN_IF_ERROR(disk.open(memory, *collectives));
  ZP_RETURN_IF_ERROR(openTimes());
  loader.emplace(plan, resolved, options, threadsOfRank(options.threads, communicator.localSize()));
  for (const auto &entry : resolved.entries)
    entries.emplace_back().keepable = std::none_of(entry.begin(), entry.end(), [&](const auto &instruction) { return needsHost(instruction); });
  return mirrors.open(plan, views, memory);
}

/// Every instruction is decided here, and what it takes is built: runs build nothing.
Status CudaExecutor::openAttention(const cuda::Properties &device) {
  const char *chosen = std::getenv(kAttentionVariable);
  const std::string_view choice = chosen ? chosen : "fused";
  if (choice != "fused" && choice != "own")
    return Status(ErrorCode::Config, std::string(kAttentionVariable) + ": is " + chosen + ", expected fused or own; unset it for fused");
  if (choice == "own")
    return {};
  fusedAttention = std::make_unique<cuda::FusedAttention>(device);
  for (const auto &entry : resolved.entries)
    for (const ResolvedInstruction &instruction : entry)
      if (instruction.source->op_type() == fbs::OpAttrs::Attention)
        fusedAttention->prepare(*static_cast<const AttentionArgs *>(instruction.args));
      else if (instruction.source->op_type() == fbs::OpAttrs::AttentionGradient)
        fusedAttention->prepare(*static_cast<const AttentionGradientArgs *>(instruction.args));
  return {};
}

Status CudaExecutor::openStreams(int multiprocessors) {
  cuda::Context common;
  common.products = products.get();
  common.fusedAttention = fusedAttention.get();
  common.multiprocessors = multiprocessors;
  common.rank = communicator.rank();
  return streams.open(plan, common, memory);
}

/// All but staged ones, which want to know the plan's largest operand.
Status CudaExecutor::openCollectives(const cuda::Properties &device) {
  if (communicator.size() == 1) {
    collectives = createSingleCollectives();
    return {};
  }
  const char *chosen = std::getenv(kCollectivesVariable);
  const std::string_view choice = chosen ? chosen : "nccl";
  if (choice != "nccl" && choice != "staged")
    return Status(ErrorCode::Config, std::string(kCollectivesVariable) + ": is " + chosen + ", expected nccl or staged; unset it for nccl");
  if (choice == "nccl") {
    if (options.failed)
      peerWatch = std::make_unique<PeerWatch>(
          [this] {
            DeviceCollectives *known = watched;
            return known ? known->watch() : communicator.checkPeers();
          },
          options.failed);
    const PeerWatch::Inside inside(peerWatch.get());
    ZP_ASSIGN_OR_RETURN(collectives, createNcclCollectives(communicator, device.id));
    watched = collectives.get();
  }
  return {};
}

Status CudaExecutor::openStaged() {
  if (collectives)
    return {};
  uint64_t largest = 0;
  for (const auto &entry : resolved.entries)
    for (const ResolvedInstruction &instruction : entry)
      for (const TensorView &operand : instruction.operands)
        largest = std::max(largest, operand.bytes());
  ZP_ASSIGN_OR_RETURN(collectives, createStagedCollectives(communicator, largest));
  return {};
}

Status CudaExecutor::openTimes() {
  if (options.timedSteps == 0)
    return {};
  stepTimes = StepTimes(plan.streams(), options.timedSteps);
  size_t most = 0;
  for (const auto &entry : resolved.entries)
    most = std::max(most, entry.size());
  return eventTimes.open(most);
}

/// What can't be asked for and left alone.
bool CudaExecutor::needsHost(const ResolvedInstruction &instruction) const {
  switch (instruction.source->op_type()) {
  case fbs::OpAttrs::Copy:
    return !instruction.operands[0].data || !instruction.operands[1].data; // the disk
  case fbs::OpAttrs::AllGather:
  case fbs::OpAttrs::ReduceScatter:
  case fbs::OpAttrs::AllReduce:
    return !collectives->isAsynchronous();
  case fbs::OpAttrs::LoadSection:
  case fbs::OpAttrs::LoadQuantized:
  case fbs::OpAttrs::NestScales:
    return true;
  default:
    return false;
  }
}

TensorView CudaExecutor::view(uint32_t tensor) {
  TensorView view = views[tensor];
  view.data = mirrors.find(tensor);
  return view;
}

uint64_t CudaExecutor::diskOffset(uint32_t tensor) const {
  const fbs::Tensor &of = *plan.tensors()->Get(tensor);
  return plan.buffers()->Get(of.buffer())->offset() + of.offset();
}

Status CudaExecutor::read(uint32_t tensor, std::vector<std::byte> &storage, TensorView &view) {
  view = views[tensor];
  storage.resize(view.bytes());
  const void *source = view.data;
  view.data = storage.data();
  if (!source)
    return memory.disk().read(diskOffset(tensor), storage.data(), storage.size());
  ZP_RETURN_IF_ERROR(cuda::copyAsync(storage.data(), source, storage.size(), streams.compute()));
  return awaitStream(streams.compute(), *collectives);
}

Status CudaExecutor::write(uint32_t tensor, const TensorView &view) {
  if (!views[tensor].data)
    return memory.disk().write(diskOffset(tensor), view.data, view.bytes());
  ZP_RETURN_IF_ERROR(cuda::copyAsync(views[tensor].data, view.data, view.bytes(), streams.compute()));
  return awaitStream(streams.compute(), *collectives);
}

Status CudaExecutor::runEntry(uint32_t index) {
  EntryRun &entry = entries[index];
  ZP_RETURN_IF_ERROR(mirrors.carryInputs(index, streams.compute()));
  if (options.measure)
    ZP_RETURN_IF_ERROR(issueMeasured(index));
  else if (eventTimes.isOpen() || !entry.keepable || !cuda::hasGraphs() || entry.runs == 0) // the first run chooses algorithms and takes workspaces
    ZP_RETURN_IF_ERROR(issue(index));
  else {
    if (!entry.graph)
      ZP_RETURN_IF_ERROR(capture(index));
    ZP_RETURN_IF_ERROR(cuda::replay(entry.graph, streams.compute()));
  }
  ++entry.runs;
  ZP_RETURN_IF_ERROR(mirrors.carryOutputs(index, streams.compute()));
  ZP_RETURN_IF_ERROR(awaitStream(streams.compute(), *collectives));
  loader->close();
  if (eventTimes.isOpen() && !options.measure)
    ZP_RETURN_IF_ERROR(eventTimes.note(index, resolved.entries[index], stepTimes, seconds));
  for (const ResolvedInstruction &instruction : resolved.entries[index])
    moved.add(instruction, plan.ranks());
  return {};
}

/// The list's order is a legal order of the streams: an event is recorded before a wait for it is asked for.
Status CudaExecutor::issue(uint32_t index) {
  if (eventTimes.isOpen())
    ZP_RETURN_IF_ERROR(eventTimes.begin(streams.compute()));
  ZP_RETURN_IF_ERROR(streams.fork());
  for (size_t i = 0; i < resolved.entries[index].size(); ++i) {
    const ResolvedInstruction &instruction = resolved.entries[index][i];
    const cuda::Stream stream = streams.context(instruction.source->stream()).stream;
    const bool timed = eventTimes.isOpen() && EventTimes::isTimed(instruction);
    if (timed)
      ZP_RETURN_IF_ERROR(eventTimes.before(i, stream));
    ZP_RETURN_IF_ERROR(perform(instruction));
    if (timed)
      ZP_RETURN_IF_ERROR(eventTimes.after(i, stream));
  }
  ZP_RETURN_IF_ERROR(streams.join());
  return cuda::launchError();
}

Status CudaExecutor::capture(uint32_t index) {
  ZP_RETURN_IF_ERROR(awaitStream(streams.compute(), *collectives));
  ZP_RETURN_IF_ERROR(cuda::beginCapture(streams.compute()));
  Status issued = issue(index);
  if (Status launched = issued.ok() ? Status() : cuda::launchError(); !launched.ok())
    issued = launched; // a launch that is refused spoils the capture: what is asked of it next fails only for that
  StatusOr<cuda::Graph> graph = cuda::endCapture(streams.compute()); // also after a failure: it ends the stream's state
  if (graph.ok())
    entries[index].graph = *graph;
  ZP_RETURN_IF_ERROR(issued);
  return graph.status();
}

Status CudaExecutor::issueMeasured(uint32_t index) {
  const auto &list = resolved.entries[index];
  ZP_RETURN_IF_ERROR(synchronizeAll()); // inputs are still being carried over
  for (uint32_t i = 0; i < list.size(); ++i) {
    auto start = std::chrono::steady_clock::now();
    ZP_RETURN_IF_ERROR(perform(list[i]));
    ZP_RETURN_IF_ERROR(synchronizeAll());
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    seconds[static_cast<size_t>(list[i].source->op_type())] += took;
    options.measure(index, i, took);
  }
  return cuda::launchError();
}

Status CudaExecutor::synchronizeAll() {
  for (const cuda::Context &context : streams.contexts())
    ZP_RETURN_IF_ERROR(awaitStream(context.stream, *collectives));
  return {};
}

Status CudaExecutor::perform(const ResolvedInstruction &instruction) {
  const cuda::Context &context = streams.context(instruction.source->stream());
  const std::vector<TensorView> &operands = instruction.operands;
  switch (instruction.source->op_type()) {
  case fbs::OpAttrs::RecordEvent:
    return cuda::record(streams.event(instruction.source->op_as_RecordEvent()->event()), context.stream);
  case fbs::OpAttrs::WaitEvent:
    return cuda::wait(streams.event(instruction.source->op_as_WaitEvent()->event()), context.stream);
  case fbs::OpAttrs::Copy:
    return copy(instruction, context.stream);
  case fbs::OpAttrs::AllGather:
    return collectives->allGather(operands[0].data, operands[1].data, operands[0].bytes(), context.stream);
  case fbs::OpAttrs::ReduceScatter:
    return collectives->reduceScatter(operands[0].data, operands[1].data, static_cast<size_t>(operands[1].elements()), operands[1].dtype,
                                      context.stream);
  case fbs::OpAttrs::AllReduce:
    return collectives->allReduce(operands[0].data, static_cast<size_t>(operands[0].elements()), operands[0].dtype, context.stream);
  case fbs::OpAttrs::LoadSection:
  case fbs::OpAttrs::LoadQuantized:
  case fbs::OpAttrs::NestScales:
    return loader->load(instruction, context.stream, *collectives);
  default:
    return cuda::findKernel(static_cast<uint8_t>(instruction.source->op_type()))(context, instruction.args);
  }
}

/// Between any two tiers.
Status CudaExecutor::copy(const ResolvedInstruction &instruction, cuda::Stream stream) {
  const TensorView &source = instruction.operands[0], &target = instruction.operands[1];
  if (source.data && target.data)
    return cuda::copyAsync(target.data, source.data, source.bytes(), stream);
  auto offsetOf = [&](unsigned operand) { return diskOffset(static_cast<uint32_t>(instruction.source->operands()->Get(operand))); };
  if (target.data)
    return disk.toMemory(offsetOf(0), target.data, target.bytes(), stream);
  if (source.data)
    return disk.toDisk(source.data, offsetOf(1), source.bytes(), stream);
  return disk.onDisk(offsetOf(0), offsetOf(1), source.bytes());
}

} // namespace

StatusOr<std::unique_ptr<Executor>> createCudaExecutor(const PlanFile &plan, Communicator &communicator, ExecutorOptions options) {
  auto executor = std::make_unique<CudaExecutor>(plan, communicator, std::move(options));
  ZP_RETURN_IF_ERROR(executor->start());
  return std::unique_ptr<Executor>(std::move(executor));
}

} // namespace zp::rt

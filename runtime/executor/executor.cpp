#include "runtime/executor/executor.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "runtime/device/cpu/thread_pool.h"
#include "runtime/executor/in_place_memory.h"
#include "runtime/executor/moved_bytes.h"
#include "runtime/executor/resolve.h"
#include "runtime/executor/shadow_run.h"
#include "runtime/memory/plan_memory.h"

namespace zp::rt {
namespace {

constexpr int64_t kCopyGrain = 1 << 20; // bytes
constexpr uint64_t kDiskPiece = 1 << 20;

class PlanExecutor final : public Executor, private Launcher {
public:
  PlanExecutor(const PlanFile &file, Communicator &communicator, ExecutorOptions options)
      : file(file), plan(file.plan()), communicator(communicator), options(std::move(options)) {}

  Status prepare();
  Status run(uint32_t entry) override;
  TensorView view(uint32_t tensor) override { return views[tensor]; }
  Status bring(uint32_t tensor, std::vector<std::byte> &storage, TensorView &view) override;
  Status putBack(uint32_t tensor, const TensorView &view) override;
  uint64_t gatheredBytes() const override { return moved.gathered; }
  uint64_t reducedBytes() const override { return moved.reduced; }
  std::array<double, 256> secondsByOpcode() const override;
  StepTimes &times() override { return stepTimes; }
  std::vector<std::string> notices() const override { return {memory->disk() ? memory->disk()->notice() : std::string(), inPlace.notice()}; }

private:
  /// A kernel with its arguments, or an instruction of the stream, the engine or the loader with its operands.
  struct Call {
    void (*kernel)(const KernelContext &, const void *) = nullptr;
    const void *args = nullptr;
    const ResolvedInstruction *instruction = nullptr;
    uint32_t entry = 0, index = 0;
    uint8_t stream = 0;
  };
  struct EntryRun {
    std::vector<Call> calls;
    StepLists lists;
    std::vector<std::string> places; // shadow mode: of each instruction
    std::unique_ptr<ShadowLives> lives;
  };

  Status launch(const Step &step, ParallelFor &parallel) override;
  Status perform(const Call &call, ParallelFor &parallel);
  Status copy(const ResolvedInstruction &instruction, ParallelFor &parallel);
  template <typename Loader, typename... Operands>
  Status load(const Loader &loader, const ResolvedInstruction &instruction, int64_t section, ParallelFor &parallel, const Operands &...operands);
  Status runShadow(const EntryRun &entry);
  Status runMeasured(uint32_t index);

  const PlanFile &file;
  const fbs::Plan &plan;
  Communicator &communicator;
  ExecutorOptions options;
  std::unique_ptr<PlanMemory> memory;
  InPlaceMemory inPlace;
  std::vector<TensorView> views;
  ResolvedPlan resolved;
  std::vector<EntryRun> entries;
  const EntryRun *current = nullptr;
  FaultReport *fault = nullptr; // while an entry runs in shadow mode
  std::unique_ptr<Device> device;
  MovedBytes moved;                             // collectives are on one stream
  std::vector<std::array<double, 256>> seconds; // by stream
  StepTimes stepTimes;
};

Status PlanExecutor::prepare() {
  auto world = static_cast<uint32_t>(communicator.size());
  if (world != plan.ranks())
    return Status(ErrorCode::WorldSize, file.path() + ": plan was compiled for " + std::to_string(plan.ranks()) + " ranks, this job has " +
                                            std::to_string(world) + "; rerun with -n " + std::to_string(plan.ranks()) +
                                            " or import again with --num_processes " + std::to_string(world));
  ZP_RETURN_IF_ERROR(checkInstructions(file));
  int here = std::max(communicator.localSize(), 1);
  if (options.shadow) {
    ZP_ASSIGN_OR_RETURN(memory, allocateShadow(plan));
  } else {
    ZP_ASSIGN_OR_RETURN(memory, allocatePlanned(plan, here, options.diskDirectory));
  }
  // Shadow mode keeps every buffer apart, and what is measured is to take what it takes on hosts of their own.
  if (options.readInPlace && !options.shadow && !options.measure) {
    ZP_ASSIGN_OR_RETURN(inPlace, InPlaceMemory::create(plan, communicator));
  }
  auto address = [&](uint32_t buffer) { return inPlace.buffer(buffer, *memory); };
  views = viewsOf(plan, address);
  ZP_ASSIGN_OR_RETURN(resolved, resolve(file, address));

  const int threads = threadsOfRank(options.threads, here);
  if (options.device)
    device = options.device(threads, plan.streams(), plan.events());
  else if (options.shadow) // a legal order of the streams, in which a fault is that of the step named last
    device = createOrderedDevice(StreamOrder::Listed, 0, threads, plan.streams(), plan.events());
  else
    device = createCpuDevice(threads, plan.streams(), plan.events());
  seconds.resize(plan.streams());
  stepTimes = StepTimes(options.timedSteps > 0 ? plan.streams() : 0, options.timedSteps);
  for (uint32_t e = 0; e < resolved.entries.size(); ++e) {
    EntryRun &entry = entries.emplace_back();
    entry.lists.streams.resize(plan.streams());
    for (uint32_t i = 0; i < resolved.entries[e].size(); ++i) {
      const ResolvedInstruction &instruction = resolved.entries[e][i];
      Call call;
      call.instruction = &instruction;
      call.args = instruction.args;
      call.stream = instruction.source->stream();
      call.entry = e;
      call.index = i;
      if (instruction.kernel)
        call.kernel = options.reference ? instruction.kernel->reference : instruction.kernel->cpu;
      Step step;
      step.opcode = static_cast<uint8_t>(instruction.source->op_type());
      step.index = i;
      if (const auto *record = instruction.source->op_as_RecordEvent()) {
        step.kind = Step::Kind::RecordEvent;
        step.event = static_cast<uint32_t>(record->event());
      } else if (const auto *wait = instruction.source->op_as_WaitEvent()) {
        step.kind = Step::Kind::WaitEvent;
        step.event = static_cast<uint32_t>(wait->event());
      }
      entry.calls.push_back(call);
      entry.lists.streams[call.stream].push_back(step);
      if (options.shadow)
        entry.places.push_back(file.path() + ": entries[" + std::to_string(e) + "].instructions[" + std::to_string(i) + "] (" + instruction.op->name +
                               ")");
    }
    if (options.shadow)
      entry.lives = std::make_unique<ShadowLives>(plan, *plan.entries()->Get(e));
  }
  return {};
}

Status PlanExecutor::run(uint32_t index) {
  if (inPlace.usesPool(index)) // by peers, too: all have ended their last entry
    ZP_RETURN_IF_ERROR(communicator.barrier());
  current = &entries[index];
  if (options.measure)
    return runMeasured(index);
  return options.shadow ? runShadow(*current) : device->execute(current->lists, *this);
}

/// The list's order is a legal order of the streams.
Status PlanExecutor::runMeasured(uint32_t index) {
  for (uint32_t i = 0; i < current->calls.size(); ++i) {
    auto start = std::chrono::steady_clock::now();
    ZP_RETURN_IF_ERROR(perform(current->calls[i], device->parallel()));
    options.measure(index, i, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return {};
}

Status PlanExecutor::runShadow(const EntryRun &entry) {
  FaultReport report(*memory);
  fault = &report;
  entry.lives->begin(*memory);
  Status status = device->execute(entry.lists, *this);
  fault = nullptr;
  return status;
}

/// Hands an instruction of the loader to whom the options name for it.
template <typename Loader, typename... Operands>
Status PlanExecutor::load(const Loader &loader, const ResolvedInstruction &instruction, int64_t section, ParallelFor &parallel,
                          const Operands &...operands) {
  if (loader)
    return loader(static_cast<uint32_t>(section), operands..., parallel);
  return Status(ErrorCode::Internal, file.path() + ": " + instruction.op->name + ": has no loader, expected one in the executor's options");
}

Status PlanExecutor::bring(uint32_t index, std::vector<std::byte> &storage, TensorView &view) {
  view = views[index];
  if (view.data)
    return {};
  const fbs::Tensor &tensor = *plan.tensors()->Get(index);
  storage.resize(view.bytes());
  view.data = storage.data();
  return memory->disk()->read(plan.buffers()->Get(tensor.buffer())->offset() + tensor.offset(), storage.data(), storage.size());
}

Status PlanExecutor::putBack(uint32_t index, const TensorView &view) {
  if (views[index].data)
    return {};
  const fbs::Tensor &tensor = *plan.tensors()->Get(index);
  return memory->disk()->write(plan.buffers()->Get(tensor.buffer())->offset() + tensor.offset(), view.data, view.bytes());
}

/// Between any two tiers. A buffer on disk is read or written where the plan says it lies in the rank's file.
Status PlanExecutor::copy(const ResolvedInstruction &instruction, ParallelFor &parallel) {
  const TensorView &source = instruction.operands[0], &target = instruction.operands[1];
  if (source.data && target.data) {
    if (source.data == target.data) // read in place
      return {};
    parallel.run(static_cast<int64_t>(source.bytes()), kCopyGrain, [&source, &target](int64_t begin, int64_t end) {
      std::memcpy(target.as<std::byte>() + begin, source.as<std::byte>() + begin, static_cast<size_t>(end - begin));
    });
    return {};
  }
  auto offsetOf = [&](int operand) {
    const fbs::Tensor &tensor = *plan.tensors()->Get(instruction.source->operands()->Get(static_cast<flatbuffers::uoffset_t>(operand)));
    return plan.buffers()->Get(tensor.buffer())->offset() + tensor.offset();
  };
  if (target.data)
    return memory->disk()->read(offsetOf(0), target.data, source.bytes());
  if (source.data)
    return memory->disk()->write(offsetOf(1), source.data, target.bytes());
  // From disk to disk, by way of a piece of memory.
  std::vector<std::byte> piece(std::min<uint64_t>(source.bytes(), kDiskPiece));
  for (uint64_t done = 0; done < source.bytes(); done += piece.size()) {
    uint64_t here = std::min<uint64_t>(piece.size(), source.bytes() - done);
    ZP_RETURN_IF_ERROR(memory->disk()->read(offsetOf(0) + done, piece.data(), here));
    ZP_RETURN_IF_ERROR(memory->disk()->write(offsetOf(1) + done, piece.data(), here));
  }
  return {};
}

Status PlanExecutor::launch(const Step &step, ParallelFor &parallel) {
  const Call &call = current->calls[step.index];
  if (!fault)
    return perform(call, parallel);
  fault->entering(&current->places[step.index]);
  ZP_RETURN_IF_ERROR(perform(call, parallel));
  current->lives->end(step.index, *memory);
  return {};
}

Status PlanExecutor::perform(const Call &call, ParallelFor &parallel) {
  auto start = std::chrono::steady_clock::now();
  const std::vector<TensorView> &operands = call.instruction->operands;
  Status status;
  switch (call.instruction->source->op_type()) {
  case fbs::OpAttrs::RecordEvent:
  case fbs::OpAttrs::WaitEvent:
    break; // of a measured run, where the list's order is kept anyway
  case fbs::OpAttrs::Copy:
    status = copy(*call.instruction, parallel);
    break;
  case fbs::OpAttrs::AllGather:
    if (inPlace.isPooled(operands[1].data))
      break;
    status = communicator.allGather(operands[0].data, operands[1].data, operands[0].bytes());
    break;
  case fbs::OpAttrs::ReduceScatter:
    status = communicator.reduceScatter(operands[0].data, operands[1].data, static_cast<size_t>(operands[1].elements()), operands[1].dtype);
    break;
  case fbs::OpAttrs::AllReduce:
    status = communicator.allReduce(operands[0].data, static_cast<size_t>(operands[0].elements()), operands[0].dtype);
    break;
  case fbs::OpAttrs::LoadSection:
    status = load(options.loadSection, *call.instruction, call.instruction->source->op_as_LoadSection()->section(), parallel, operands[0]);
    break;
  case fbs::OpAttrs::LoadQuantized:
    status = load(options.loadQuantized, *call.instruction, call.instruction->source->op_as_LoadQuantized()->section(), parallel, operands[0],
                  operands[1]);
    break;
  case fbs::OpAttrs::NestScales:
    status = load(options.nestScales, *call.instruction, call.instruction->source->op_as_NestScales()->section(), parallel, operands[0], operands[1]);
    break;
  default:
    call.kernel(KernelContext{&parallel, communicator.rank(), communicator.size()}, call.args);
  }
  moved.add(*call.instruction, plan.ranks());
  auto end = std::chrono::steady_clock::now();
  seconds[call.stream][static_cast<size_t>(call.instruction->source->op_type())] += std::chrono::duration<double>(end - start).count();
  stepTimes.note(call.stream, call.entry, call.index, start, end);
  return status;
}

std::array<double, 256> PlanExecutor::secondsByOpcode() const {
  std::array<double, 256> sum{};
  for (const auto &stream : seconds)
    for (size_t i = 0; i < sum.size(); ++i)
      sum[i] += stream[i];
  return sum;
}

} // namespace

StatusOr<std::unique_ptr<Executor>> Executor::create(const PlanFile &plan, Communicator &communicator, ExecutorOptions options) {
  if (std::string_view target = plan.plan().target()->string_view(); target != "cpu") {
    if (target == "cuda" && options.cuda)
      return options.cuda(plan, communicator, std::move(options));
    return Status(ErrorCode::Config,
                  plan.path() + ": target: is " + std::string(target) +
                      ", which this build cannot run, expected cpu; compile the plan with --target cpu, or build where nvcc is found");
  }
  auto executor = std::make_unique<PlanExecutor>(plan, communicator, std::move(options));
  ZP_RETURN_IF_ERROR(executor->prepare());
  return std::unique_ptr<Executor>(std::move(executor));
}

} // namespace zp::rt

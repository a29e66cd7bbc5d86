#include "tests/interpreter/Job.h"

#include <cmath>

using namespace mlir;

namespace zp::interpreter {

namespace {
class Runner {
public:
  Runner(Machine &machine, const JobShape &shape, const Batches &given, Trace &trace) : machine(machine), batches(given), trace(trace) {
    batches.perUpdate = shape.ranks * shape.microBatches;
    batches.training = machine.program(nn::ProgramKind::TrainStep);
    rounds = machine.distributed() ? shape.microBatches : shape.microBatches * shape.ranks;
  }

  // All micro-batches of an update through a program; then what it added to, summed over ranks.
  LogicalResult runMicroBatches(nn::ProgramKind kind, int64_t update) {
    trained = update > 0;
    nn::ProgramOp program = machine.program(kind);
    if (!program)
      return success();
    std::set<std::string> added;
    for (int64_t round = 0; round < rounds; ++round) {
      std::vector<Machine::Outcome> outcomes;
      if (failed(runRound(program, update, round, 0, outcomes)))
        return failure();
      for (auto [rank, outcome] : llvm::enumerate(outcomes)) {
        std::string where = title(kind, update) + " micro-batch " + std::to_string(indexOf(round, static_cast<int64_t>(rank)));
        for (auto &[name, tensor] : outcome.outputs)
          record(where + ": output " + name, "", kind, tensor);
        for (const std::string &name : outcome.storedStates)
          record(where + ": state @" + name, "", kind, machine.states[rank].states[name]);
        added.insert(outcome.addedStates.begin(), outcome.addedStates.end());
      }
      if (kind == nn::ProgramKind::Evaluate && failed(runLogits(update, round)))
        return failure();
    }
    for (const std::string &name : added) {
      Tensor sum(machine.layout.states[name]);
      for (RankState &state : machine.states)
        for (int64_t i = 0; i < sum.size(); ++i)
          sum[i] += state.states[name][i];
      record(title(kind, update) + ": sum of @" + name, "", kind, sum);
    }
    return success();
  }

  // Two chunks of logits of the hidden state that evaluate has kept.
  LogicalResult runLogits(int64_t update, int64_t round) {
    nn::ProgramOp program = machine.program(nn::ProgramKind::Logits);
    for (int64_t first : {0, 3}) {
      std::vector<Machine::Outcome> outcomes;
      if (!program)
        break;
      if (failed(runRound(program, update, round, first, outcomes)))
        return failure();
      for (auto [rank, outcome] : llvm::enumerate(outcomes))
        for (auto &[name, tensor] : outcome.outputs)
          record(title(nn::ProgramKind::Logits, update) + " micro-batch " + std::to_string(indexOf(round, static_cast<int64_t>(rank))) +
                     " from token " + std::to_string(first) + ": output " + name,
                 "", nn::ProgramKind::Logits, tensor);
    }
    return success();
  }

  LogicalResult applyGradients(int64_t update) {
    nn::ProgramOp program = machine.program(nn::ProgramKind::ApplyGradients);
    std::vector<Machine::Outcome> outcomes;
    if (failed(runRound(program, update, 0, 0, outcomes)))
      return failure();
    for (const Machine::Outcome &outcome : outcomes)
      for (auto &[name, tensor] : outcome.outputs)
        if (name != "scalars" && tensor.data != outcomes.front().outputs[name].data)
          return program.emitError("ranks disagree on output ") << name;
    for (auto &[name, tensor] : outcomes.front().outputs)
      record(title(nn::ProgramKind::ApplyGradients, update) + ": output " + name, "", nn::ProgramKind::ApplyGradients, tensor);
    return success();
  }

  LogicalResult recordParameters(int64_t update, Part part, nn::ProgramKind kind, std::map<std::string, Tensor> *initial) {
    for (auto &[name, info] : machine.layout.parameters) {
      if (!info.trainable)
        continue;
      bool agree = true;
      Tensor value = wholeParameter(machine.layout, machine.states, name, part, &agree);
      if (!agree)
        return machine.module().emitError("ranks, or values and masters, disagree on @") << name << " after update " << update;
      if (initial)
        for (int64_t i = 0; i < value.size(); ++i)
          value[i] -= (*initial)[name][i];
      record(title(kind, update) + (part == Part::Gradient ? ": gradient of @" : ": change of @") + name, name, kind, value);
      if (part == Part::Gradient && update == 0)
        trace.back().needs = kNeedsGradients;
    }
    return success();
  }

private:
  int64_t indexOf(int64_t round, int64_t rank) const { return round * machine.ranks() + rank; }
  static std::string title(nn::ProgramKind kind, int64_t update) {
    return "update " + std::to_string(update) + ": " + nn::stringifyProgramKind(kind).str();
  }
  void record(std::string label, std::string parameter, nn::ProgramKind kind, Tensor value) {
    std::string needs = nn::stringifyProgramKind(trained ? nn::ProgramKind::ApplyGradients : kind).str();
    trace.push_back({std::move(label), std::move(parameter), std::move(needs), std::move(value)});
  }
  LogicalResult runRound(nn::ProgramOp program, int64_t update, int64_t round, int64_t first, std::vector<Machine::Outcome> &outcomes) {
    std::vector<NamedTensors> inputs;
    for (int64_t rank = 0; rank < machine.ranks(); ++rank)
      inputs.push_back(batches.inputs(program, update, indexOf(round, rank), first));
    return machine.run(program, inputs, &outcomes);
  }

  Machine &machine;
  Batches batches;
  Trace &trace;
  int64_t rounds;
  bool trained = false; // what is recorded now depends on an update
};
} // namespace

LogicalResult runInit(Machine &machine) {
  nn::ProgramOp init = machine.program(nn::ProgramKind::Init);
  return init && machine.distributed() ? machine.run(init, std::vector<NamedTensors>(machine.states.size())) : success();
}

LogicalResult runJob(Machine &machine, const JobShape &shape, const Batches &batches, Trace &trace) {
  Runner runner(machine, shape, batches, trace);
  if (failed(runInit(machine)))
    return failure();
  std::map<std::string, Tensor> initial;
  for (auto &[name, info] : machine.layout.parameters)
    initial[name] = wholeParameter(machine.layout, machine.states, name, Part::Value);

  bool trains = static_cast<bool>(machine.program(nn::ProgramKind::ApplyGradients));
  if (failed(runner.runMicroBatches(nn::ProgramKind::Evaluate, 0)))
    return failure();
  for (int64_t update = 0; update < (trains ? shape.updates : 1); ++update) {
    if (failed(runner.runMicroBatches(nn::ProgramKind::TrainStep, update)))
      return failure();
    if (machine.differentiates() && failed(runner.recordParameters(update, Part::Gradient, nn::ProgramKind::TrainStep, nullptr)))
      return failure();
    if (!trains)
      continue;
    if (failed(runner.applyGradients(update)) || failed(runner.recordParameters(update, Part::Value, nn::ProgramKind::ApplyGradients, &initial)))
      return failure();
  }
  return trains ? runner.runMicroBatches(nn::ProgramKind::Evaluate, shape.updates) : success();
}

FailureOr<double> runLoss(Machine &machine, const JobShape &shape, const Batches &batches) {
  nn::ProgramOp program = machine.program(nn::ProgramKind::TrainStep);
  if (!program)
    return machine.module().emitError("has no nn.program of kind \"train_step\"");
  Trace trace;
  Runner runner(machine, shape, batches, trace);
  if (failed(runner.runMicroBatches(nn::ProgramKind::TrainStep, 0)))
    return failure();
  double loss = 0;
  bool found = false;
  for (const TraceEntry &entry : trace)
    if (entry.label.find(": sum of @") != std::string::npos && entry.value.size() <= 2) {
      loss += entry.value[0]; // the second counts what was predicted
      found = true;
    }
  if (!found)
    return program.emitError("adds to no nn.state of one or two elements: where is the loss?");
  return loss;
}

} // namespace zp::interpreter

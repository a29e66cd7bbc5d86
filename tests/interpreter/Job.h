// A whole job on the simulated ranks: init, updates of micro-batches, evaluation; everything comparable goes into a trace.
#ifndef ZP_TESTS_INTERPRETER_JOB_H
#define ZP_TESTS_INTERPRETER_JOB_H

#include "tests/interpreter/Batches.h"

namespace zp::interpreter {

struct TraceEntry {
  std::string label;     // "update 1: change of @w"
  std::string parameter; // the parameter it is about, if any
  std::string needs;     // what a module must have to know of it: a kind of program, or kNeedsGradients
  Tensor value;
};
constexpr const char *kNeedsGradients = "gradients";
using Trace = std::vector<TraceEntry>;

struct JobShape {
  int64_t ranks = 1, microBatches = 1, updates = 2; // microBatches: of each rank
};

/// The global batch of an update is ranks × microBatches micro-batches. A module with sections runs on `ranks` ranks (rank r
/// takes micro-batch k·ranks + r in round k); one without runs them all in sequence on one.
mlir::LogicalResult runJob(Machine &machine, const JobShape &shape, const Batches &batches, Trace &trace);

/// The program `init`, if there is one that loads sections.
mlir::LogicalResult runInit(Machine &machine);
/// One round of train_step from the machine's current state: the loss sum over ranks, by the states it adds to.
mlir::FailureOr<double> runLoss(Machine &machine, const JobShape &shape, const Batches &batches);

} // namespace zp::interpreter

#endif // ZP_TESTS_INTERPRETER_JOB_H

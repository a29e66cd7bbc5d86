// Runs the programs of an nn / zero module on N simulated ranks in lockstep: op by op, each op on every rank.
// Errors are diagnostics at the op. A module must have passed MLIR's verifier.
#ifndef ZP_TESTS_INTERPRETER_MACHINE_H
#define ZP_TESTS_INTERPRETER_MACHINE_H

#include "dialects/NF4/IR/NF4Dialect.h"
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/Zero/IR/ZeroDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "tests/interpreter/State.h"

#include <memory>
#include <set>

namespace zp::interpreter {

using NamedTensors = std::map<std::string, Tensor>;

/// One rank's view while a program runs.
struct Frame {
  int64_t rank;
  const Layout &layout;
  const InitialValues &initial;
  RankState &state;
  const NamedTensors &inputs;
  NamedTensors outputs;
  std::set<std::string> storedStates, addedStates; // names of nn.state that the program replaced, or added to
  llvm::DenseMap<mlir::Value, Tensor> values;

  const Tensor &in(mlir::Value value) const { return values.find(value)->second; }
  const Tensor *maybe(mlir::Value value) const { return value ? &in(value) : nullptr; }
  void out(mlir::Value value, Tensor tensor) { values[value] = std::move(tensor); }
};

/// nn ops (OpBindings.cpp), nf4 ops (NF4Bindings.cpp), and the zero ops that need no other rank (ZeroOps.cpp); failure carries
/// a diagnostic.
/// `handled` is false when the op is of another kind.
mlir::LogicalResult runNNOp(mlir::Operation *op, Frame &frame, bool &handled);
mlir::LogicalResult runNF4Op(mlir::Operation *op, Frame &frame, bool &handled);
mlir::LogicalResult runZeroOp(mlir::Operation *op, Frame &frame, bool &handled);
/// all_gather, reduce_scatter, all_reduce: on all ranks at once.
mlir::LogicalResult runCollective(mlir::Operation *op, llvm::MutableArrayRef<Frame> frames, bool &handled);

std::vector<int64_t> shapeOf(mlir::Type type);

/// Notes the parameters that the module keeps in 4 bits.
void findQuantised(mlir::ModuleOp module, InitialValues &initial);

class Machine {
public:
  /// Every rank starts with first values; where the module has an `init` program, sections are poison until it has run.
  /// A module that isn't distributed gets one rank. Null, with a diagnostic, when sections and parameters don't fit together or
  /// are cut for another number of ranks.
  static std::unique_ptr<Machine> create(mlir::ModuleOp module, int64_t ranks, const InitialValues &initial);

  int64_t ranks() const { return static_cast<int64_t>(states.size()); }
  /// Programs work on sections. (Between zero-partition-state and zero-insert-gathers sections are only declared.)
  bool distributed() const { return !layout.sections.empty(); }
  /// train_step has a backward pass.
  bool differentiates();
  nn::ProgramOp program(nn::ProgramKind kind);
  mlir::ModuleOp module() const { return root; }

  struct Outcome {
    NamedTensors outputs;
    std::set<std::string> storedStates, addedStates;
  };
  /// Runs a program once, `inputs[rank]` holding each rank's inputs.
  mlir::LogicalResult run(nn::ProgramOp program, llvm::ArrayRef<NamedTensors> inputs, std::vector<Outcome> *outcomes = nullptr);

  Layout layout;
  std::vector<RankState> states;

private:
  Machine(mlir::ModuleOp module, const InitialValues &initial);

  mlir::ModuleOp root;
  InitialValues initial;
};

/// The number of ranks that the module's sections are cut for (1 when no program works on sections).
int64_t ranksOf(mlir::ModuleOp module);

} // namespace zp::interpreter

#endif // ZP_TESTS_INTERPRETER_MACHINE_H

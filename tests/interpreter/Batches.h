// The inputs that programs get: random packed rows that depend on seed, update and the row's place in the update alone, so
// that any split of an update over ranks and micro-batches sees the same global batch.
#ifndef ZP_TESTS_INTERPRETER_BATCHES_H
#define ZP_TESTS_INTERPRETER_BATCHES_H

#include "tests/interpreter/Machine.h"

namespace zp::interpreter {

struct Batches {
  uint64_t seed = 1;
  int64_t vocabulary = 0;
  int64_t perUpdate = 1;  // micro-batches of an update, over all ranks
  nn::ProgramOp training; // says rows and length for programs that don't, like apply_gradients
  NamedTensors given;     // by name, instead of generated ones

  /// Inputs of micro-batch `index` of `update`; `firstToken` is where a chunk of logits begins.
  NamedTensors inputs(nn::ProgramOp program, int64_t update, int64_t index, int64_t firstToken = 0) const;
};

/// The least number of rows of a table that ids and labels index (16 where there is none).
int64_t vocabularyOf(mlir::ModuleOp module);

} // namespace zp::interpreter

#endif // ZP_TESTS_INTERPRETER_BATCHES_H

// Generation against the forward pass: what prefill and decode say of each next token.
#ifndef ZP_TESTS_INTERPRETER_GENERATION_H
#define ZP_TESTS_INTERPRETER_GENERATION_H

#include "tests/interpreter/Machine.h"

#include "llvm/Support/raw_ostream.h"

namespace zp::interpreter {

/// Random rows of unequal lengths: `after` reads their first halves by `prefill` and the rest by `decode`, token by token;
/// `before` has `evaluate` and `logits` and sees each row as a whole. Prints a verdict on all logits that decode gave. `after`
/// may be distributed: each rank has rows of its own.
mlir::LogicalResult checkGeneration(Machine &before, Machine &after, uint64_t seed, int64_t vocabulary, double tolerance, llvm::raw_ostream &out);

} // namespace zp::interpreter

#endif // ZP_TESTS_INTERPRETER_GENERATION_H

// Translation validation: two modules that should mean the same, judged by their traces.
#ifndef ZP_TESTS_INTERPRETER_COMPARE_H
#define ZP_TESTS_INTERPRETER_COMPARE_H

#include "tests/interpreter/Job.h"

#include "llvm/Support/raw_ostream.h"

namespace zp::interpreter {

/// Prints a verdict and, when they differ, the worst tensor. Every entry of one trace must be in the other, except those about
/// parameters that aren't trainable there and those of kinds of programs that aren't there.
bool compareTraces(Machine &before, const Trace &beforeTrace, Machine &after, const Trace &afterTrace, double tolerance, llvm::raw_ostream &out);

/// Each trainable parameter's gradient against central differences of the loss along random directions.
mlir::LogicalResult checkGradients(Machine &machine, const JobShape &shape, const Batches &batches, double tolerance, llvm::raw_ostream &out);

/// |a - b| relative to |a|, in the L2 norm; infinite when sizes differ or something isn't finite.
double relativeDifference(const Tensor &a, const Tensor &b);

} // namespace zp::interpreter

#endif // ZP_TESTS_INTERPRETER_COMPARE_H

#include "runtime/kernels/kernels.h"

namespace zp::rt::cpu {

// A handful of scalars: the oracle is the kernel.
void run(const KernelContext &context, const FinishStepArgs &args) { reference::run(context, args); }
} // namespace zp::rt::cpu

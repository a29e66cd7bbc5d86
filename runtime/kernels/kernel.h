// What a kernel is: a function of a context and of its arguments (generated from the op table, one struct per op).
//
// Contract. Arguments were checked once, at load: operand count, dtype sets, shapes that agree, workspace large enough.
// A kernel allocates nothing, takes no policy decision, and gives the same bits whatever the number of threads.
#ifndef ZP_RUNTIME_KERNELS_KERNEL_H
#define ZP_RUNTIME_KERNELS_KERNEL_H

#include "runtime/base/parallel_for.h"
#include "runtime/base/status.h"
#include "runtime/schema/generated/op_args.h"

namespace zp::rt {

struct KernelContext {
  ParallelFor *parallel = nullptr;
  int rank = 0;
  int ranks = 1;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_KERNEL_H

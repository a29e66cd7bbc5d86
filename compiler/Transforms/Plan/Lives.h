// When the buffers of an entry hold something: what placing them and moving instructions reason about.
#ifndef ZP_COMPILER_TRANSFORMS_PLAN_LIVES_H
#define ZP_COMPILER_TRANSFORMS_PLAN_LIVES_H

#include <algorithm>
#include <vector>

#include "dialects/Plan/IR/PlanDialect.h"
#include "runtime/schema/disk_block.h"

namespace zp::plan {

/// Of a buffer's place and size: a disk is read and written by blocks.
inline int64_t aligned(int64_t bytes, Tier tier) {
  int64_t alignment = tier == Tier::Disk ? static_cast<int64_t>(zp::kDiskBlock) : 256;
  return (bytes + alignment - 1) / alignment * alignment;
}

/// What an instruction's operand of memory is a part of.
inline ViewOp viewOf(mlir::Value memory) { return memory.getDefiningOp<ViewOp>(); }
/// The name of the buffer.
inline mlir::StringAttr bufferOf(mlir::Value memory) { return viewOf(memory).getBufferAttr().getAttr(); }

/// Positions in the entry's body, both included.
struct Life {
  BufferOp buffer;
  int64_t size;
  unsigned first = ~0u, last = 0;
  bool overlaps(const Life &o) const { return first <= o.last && o.first <= last; }
};

/// Until where the instruction at `at` holds what it touches: until it is awaited, if stream 0 goes on meanwhile.
unsigned heldUntil(llvm::ArrayRef<mlir::Operation *> ops, unsigned at);

/// Of an entry's own buffers in a tier, those that an instruction touches. What an asynchronous one touches is held until stream 0 awaits
/// it, whether it has a `plan.future` still or a stream already.
std::vector<Life> livesOf(EntryOp entry, Tier tier);

/// Bytes that are live at each position of the entry's body.
std::vector<int64_t> liveBytes(EntryOp entry, llvm::ArrayRef<Life> lives);

} // namespace zp::plan

#endif // ZP_COMPILER_TRANSFORMS_PLAN_LIVES_H

// The memory of one plan on one rank: where each buffer is, for as long as the object lives.
//
// PlannedMemory is one mapping a tier (the disk's is a file), exactly as large as the plan says, buffers at their offsets. ShadowMemory gives every
// buffer a mapping of its own with a guard page at either end, and fills those that aren't persistent with 0xff bytes (NaN in
// every float type, -1 in every integer) outside their use: a plan whose buffers overlap or whose kernels read what nobody
// wrote gives other numbers there, and a kernel that leaves its buffer is stopped by the guard.
// Thread-safety: `buffer` may be called by anyone; the others by the executor's thread alone.
#ifndef ZP_RUNTIME_MEMORY_PLAN_MEMORY_H
#define ZP_RUNTIME_MEMORY_PLAN_MEMORY_H

#include <memory>
#include <string>

#include "runtime/base/status.h"
#include "runtime/memory/disk_arena.h"
#include "runtime/schema/plan_generated.h"

namespace zp::rt {

class PlanMemory {
public:
  virtual ~PlanMemory() = default;
  /// The first byte of buffer `index`; null for one on disk.
  virtual uint8_t *buffer(uint32_t index) const = 0;
  /// The file that buffers on disk lie in, at their offsets; null where there is none, or where they are in memory after all.
  virtual const DiskArena *disk() const { return nullptr; }
  /// Makes the buffer's bytes recognisably worthless. Nothing to do where buffers share memory.
  virtual void poison(uint32_t index) = 0;
  /// "N bytes past buffer NAME" for an address next to a buffer; empty where it is near none.
  virtual std::string locate(const void *address) const = 0;
};

/// Errors: HostMemory, naming both sizes; those of DiskArena. `ranksHere` processes of this job share the machine; buffers on disk
/// go to a file in `diskDirectory`.
StatusOr<std::unique_ptr<PlanMemory>> allocatePlanned(const fbs::Plan &plan, int ranksHere, const std::string &diskDirectory);
StatusOr<std::unique_ptr<PlanMemory>> allocateShadow(const fbs::Plan &plan);

} // namespace zp::rt

#endif // ZP_RUNTIME_MEMORY_PLAN_MEMORY_H

// A plan on disk: a frame around the flatbuffer of plan.fbs.
//
//   offset  0  8 bytes  magic "ZPLAN\0\0\1"
//           8  u32      version of the format
//          12  u32      reserved, 0
//          16  u64      bytes of the payload
//          24  u64      xxh64 (seed 0) of the payload
//          32  u64      what the plan computes (dataflow.h)
//          40  24 bytes 0
//          64  payload, to the end of the file
//
// Numbers are little-endian. Contract: a loaded plan has passed the checksum, FlatBuffers' verifier, the plan verifier and
// the schedule verifier, and its instructions compute what the frame says: a plan whose lists were reordered is the same
// plan or no plan. Nobody who reads it checks a bound again. Whether each kernel takes its operands is asked by
// `checkInstructions` (checks/check_instructions.h). The bytes are a private copy, so a file that changes later is harmless.
#ifndef ZP_RUNTIME_PLAN_PLAN_FILE_H
#define ZP_RUNTIME_PLAN_PLAN_FILE_H

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/schema/plan_generated.h"

namespace zp::rt {

// 2: products take an adapter's branch; 3: the frame says what the plan computes; 4: attention's keys have rows of their own;
// 5: attention may drop probabilities; 6: a product may leave the floats of a 4-bit weight to the next.
inline constexpr uint32_t kPlanVersion = 8;
inline constexpr uint64_t kPlanHeaderBytes = 64; // before the payload

class PlanFile {
public:
  /// Errors: FileMissing, PlanFile (frame, checksum, flatbuffer), PlanInvalid (a rule of the format).
  static StatusOr<PlanFile> load(const std::string &path);
  /// The same for a whole file in memory; `name` stands for the path in messages.
  static StatusOr<PlanFile> fromBytes(std::span<const uint8_t> file, std::string name);

  const fbs::Plan &plan() const { return *root; }
  const std::string &path() const { return name; }
  /// The flatbuffer alone, and what the frame says that it computes.
  std::span<const uint8_t> payload() const;
  uint64_t dataflow() const;

private:
  struct Deleter {
    void operator()(uint8_t *bytes) const;
  };
  PlanFile() = default;
  Status parse();
  std::string name;
  std::unique_ptr<uint8_t, Deleter> bytes;
  uint64_t size = 0;
  const fbs::Plan *root = nullptr;
};

/// The whole file for a finished flatbuffer. One that isn't a well-formed plan is framed as computing nothing (0).
std::vector<uint8_t> sealPlan(std::span<const uint8_t> payload);
/// The same, under the statement of another: `dataflow` is what its instructions are held to.
std::vector<uint8_t> sealPlan(std::span<const uint8_t> payload, uint64_t dataflow);

/// Writes a finished flatbuffer as a plan file, whole or not at all. Errors: DiskFull, DiskWrite.
Status writePlanFile(const std::string &path, std::span<const uint8_t> payload);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_PLAN_FILE_H

// The parts of plan_verifier: each verifies one table group and relies on those before it.
#ifndef ZP_RUNTIME_PLAN_PLAN_CHECKER_H
#define ZP_RUNTIME_PLAN_PLAN_CHECKER_H

#include <string>

#include "runtime/base/status.h"
#include "runtime/plan/op_signatures.h"
#include "runtime/schema/dtypes.h"
#include "runtime/schema/plan_generated.h"

namespace zp::rt {

/// Bounds that no real plan comes near; below them sums of a few terms cannot wrap.
inline constexpr uint64_t kLargestBytes = uint64_t{1} << 50;
inline constexpr uint32_t kMostRanks = 1u << 16;
inline constexpr uint32_t kMostStreams = 16;
inline constexpr uint64_t kBufferAlignment = 64;

/// PlanInvalid as `FILE: place: text; fix`, on one line whatever the plan's names hold.
Status planError(const std::string &file, const std::string &place, const std::string &text);
/// Bytes that would break a line, or a terminal, become '?'.
std::string onOneLine(std::string text);

/// FlatBuffers' verifier looks at the alignment of a vector's length alone: the elements of a 64-bit one can still lie askew.
inline bool isAligned(const flatbuffers::Vector<int64_t> &vector) { return reinterpret_cast<uintptr_t>(vector.Data()) % alignof(int64_t) == 0; }

class PlanChecker {
public:
  PlanChecker(const fbs::Plan &plan, const std::string &file) : plan(plan), file(file) {}

  Status verifyHead() const;     ///< ranks, target, settings, texts                      (verify_head.cpp)
  Status verifyMemory() const;   ///< spaces, buffers, tensors                            (verify_memory.cpp)
  Status verifySections() const; ///< sections, parameters and their state; after memory  (verify_sections.cpp)
  Status verifyEntries() const;  ///< keys, inputs, outputs, instructions; after sections (verify_entries.cpp)

private:
  Status fail(const std::string &place, const std::string &text) const { return planError(file, place, text); }
  /// What a tensor of a section's state holds.
  enum class Holds { Floats, F32, Bytes };
  Status verifyState(const std::string &place, uint32_t tensor, uint64_t elements, Holds holds) const;
  Status verifySection(const std::string &place, const fbs::Section &section) const;
  Status verifyFloats(const std::string &place, const fbs::Section &section) const;
  Status verifyParameters(const std::string &place, const fbs::Section &section) const;
  Status verifyNamed(const std::string &place, const fbs::Entry &entry) const;
  Status verifyInstruction(const std::string &place, const fbs::Entry &entry, const fbs::Instruction &instruction) const;
  Status verifyEngine(const std::string &place, const fbs::Instruction &instruction) const;
  Status verifyLoader(const std::string &place, const fbs::Instruction &instruction, int64_t section) const;
  // Sections of 4-bit codes, and what loads them (verify_codes.cpp).
  Status verifyCodes(const std::string &place, const fbs::Section &section) const;
  Status verifyRecords(const std::string &place, const char *operand, const fbs::Tensor &records, const fbs::Section &section) const;
  Status verifyLoadQuantized(const std::string &place, const fbs::Instruction &instruction, const fbs::Section &section) const;
  Status verifyNestScales(const std::string &place, const fbs::Instruction &instruction, const fbs::Section &section) const;
  const fbs::Tensor &operand(const fbs::Instruction &instruction, size_t index) const;

  const fbs::Plan &plan;
  const std::string &file;
};

/// Of a verified tensor: its elements, and "f32[2,3]".
uint64_t elementsOf(const fbs::Tensor &tensor);
std::string describe(const fbs::Tensor &tensor);
inline DType dtypeOf(const fbs::Tensor &tensor) { return static_cast<DType>(tensor.dtype()); }
inline uint64_t bytesOf(const fbs::Tensor &tensor) { return zp::bytesOf(dtypeOf(tensor), elementsOf(tensor)); }
inline bool isFloatType(DType dtype) { return dtype == DType::F32 || dtype == DType::BF16 || dtype == DType::F16 || dtype == DType::F64; }
inline std::string indexed(const char *list, uint64_t index) { return std::string(list) + "[" + std::to_string(index) + "]"; }

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_PLAN_CHECKER_H

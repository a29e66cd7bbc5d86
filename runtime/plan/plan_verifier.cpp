#include "runtime/plan/plan_verifier.h"

#include "runtime/plan/plan_checker.h"

namespace zp::rt {

Status verifyPlan(const fbs::Plan &plan, const std::string &name) {
  PlanChecker checker(plan, name);
  ZP_RETURN_IF_ERROR(checker.verifyHead());
  ZP_RETURN_IF_ERROR(checker.verifyMemory());
  ZP_RETURN_IF_ERROR(checker.verifySections());
  return checker.verifyEntries();
}

std::string onOneLine(std::string text) {
  for (char &c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      c = '?';
  return text;
}

Status planError(const std::string &file, const std::string &place, const std::string &text) {
  return Status(ErrorCode::PlanInvalid, file + ": " + onOneLine(place + ": " + text) + "; compile the plan again with the zpc of this build");
}

uint64_t elementsOf(const fbs::Tensor &tensor) {
  uint64_t elements = 1;
  for (int64_t dim : *tensor.dims())
    elements *= static_cast<uint64_t>(dim);
  return elements;
}

std::string describe(const fbs::Tensor &tensor) {
  std::string text = textOf(dtypeOf(tensor));
  for (size_t i = 0; i < tensor.dims()->size(); ++i)
    text += (i ? "," : "[") + std::to_string(tensor.dims()->Get(static_cast<flatbuffers::uoffset_t>(i)));
  return text + "]";
}

} // namespace zp::rt

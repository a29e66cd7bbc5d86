#include "compiler/tools/zpc/PlanCommand.h"

#include <cerrno>
#include <cstdio>

#include "runtime/base/disk_error.h"
#include "runtime/plan/checks/check_instructions.h"

namespace zp {

StatusOr<rt::PlanFile> loadProvedPlan(const std::string &path) {
  ZP_ASSIGN_OR_RETURN(rt::PlanFile plan, rt::PlanFile::load(path));
  ZP_RETURN_IF_ERROR(rt::checkInstructions(plan));
  return plan;
}

int reportError(const Status &status) {
  std::fprintf(stderr, "%s\n", status.toString().c_str());
  return exitCodeOf(status.code());
}

Status printWhole(const std::string &text) {
  bool done = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (done)
    return {};
  return diskError("standard output", "written", errno, "a writable file", "send it elsewhere", "make room");
}

} // namespace zp

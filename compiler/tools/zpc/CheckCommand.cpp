// `zpc check`: every proof that zprun asks of a plan before it allocates anything.
#include <cstdio>

#include "compiler/tools/zpc/PlanCommand.h"
#include "compiler/tools/zpc/ZpcMain.h"

namespace zp {

static const char *const kUsage = R"(zpc check plan.fb
  proves that live buffers are apart, that streams are ordered by events, and that each kernel takes its operands
)";

int checkMain(int argc, char **argv) {
  const std::string argument = argc > 1 ? argv[1] : "";
  if (argument == "--help" || argument == "-h")
    return std::fputs(kUsage, stdout), 0;
  if (argc != 2)
    return reportError(Status(ErrorCode::Usage, "zpc check: takes one plan, has " + std::to_string(argc - 1) + " arguments; zpc check plan.fb"));
  if (argument.starts_with("-"))
    return reportError(Status(ErrorCode::UnknownKey, "zpc check: " + argument + " is not a flag, expected a plan; zpc check plan.fb"));
  StatusOr<rt::PlanFile> plan = loadProvedPlan(argument);
  if (!plan.ok())
    return reportError(plan.status());
  if (Status status = printWhole(argument + ": sound\n"); !status.ok())
    return reportError(status);
  return 0;
}

} // namespace zp

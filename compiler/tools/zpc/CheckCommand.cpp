// `zpc check`: every proof that zprun asks of a plan before it allocates anything.
#include <cstdio>

#include <nlohmann/json.hpp>

#include "compiler/tools/zpc/FlagReader.h"
#include "compiler/tools/zpc/PlanCommand.h"
#include "compiler/tools/zpc/ZpcMain.h"

namespace zp {

static const char *const kUsage = R"(zpc check plan.fb [--json]
  proves that live buffers are apart, that streams are ordered by events, and that each kernel takes its operands
  --json                the same for programs: whether the plan is sound, and if not, why
)";

int checkMain(int argc, char **argv) {
  FlagReader flags("zpc check", argc, argv);
  std::vector<std::string> plans;
  bool json = false;
  while (flags.next()) {
    if (flags.is("--help") || flags.is("-h"))
      return std::fputs(kUsage, stdout), 0;
    if (flags.is("--json"))
      json = true;
    else if (flags.isFlag())
      return reportError(flags.unknown({"--json", "--help"}));
    else
      plans.push_back(flags.flag());
  }
  if (plans.size() != 1)
    return reportError(flags.usage("takes one plan, has " + std::to_string(plans.size())));
  const Status sound = loadProvedPlan(plans[0]).status();
  nlohmann::ordered_json report = {{"plan", plans[0]}, {"sound", sound.ok()}};
  if (!sound.ok())
    report["error"] = sound.toString();
  const std::string said = json         ? report.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"
                           : sound.ok() ? plans[0] + ": sound\n"
                                        : "";
  if (Status status = printWhole(said); !status.ok())
    return reportError(status);
  return sound.ok() ? 0 : reportError(sound);
}

} // namespace zp

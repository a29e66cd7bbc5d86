// zpdump PLAN [--json]: a plan as text (runtime/plan/plan_printer.h), or as JSON with the schema's field names.
#include <cstdio>
#include <string>
#include <string_view>

#include "runtime/base/guarded.h"
#include "runtime/base/version.h"
#include "runtime/plan/plan_file.h"
#include "runtime/plan/plan_printer.h"

int main(int argc, char **argv) {
  return zp::guarded("zpdump", [&]() -> int {
    if (const std::string answer = zp::versionAnswer("zpdump", argc, argv); !answer.empty())
      return std::fputs(answer.c_str(), stdout) < 0;
    std::string path;
    bool json = false, good = true;
    for (int i = 1; i < argc; ++i) {
      std::string_view argument = argv[i];
      if (argument == "--json")
        json = true;
      else if (!argument.starts_with("-") && path.empty())
        path = argument;
      else
        good = false;
    }
    if (!good || path.empty()) {
      std::fprintf(stderr, "usage: zpdump PLAN [--json]\n");
      return zp::exitCodeOf(zp::ErrorCode::Usage);
    }
    auto plan = zp::rt::PlanFile::load(path);
    if (!plan.ok()) {
      std::fprintf(stderr, "%s\n", plan.status().toString().c_str());
      return zp::exitCodeOf(plan.status().code());
    }
    std::string text = json ? zp::rt::printPlanJson(plan->plan()) : zp::rt::printPlan(plan->plan());
    std::fwrite(text.data(), 1, text.size(), stdout);
    return std::fflush(stdout) == 0 ? 0 : zp::exitCodeOf(zp::ErrorCode::DiskWrite);
  });
}

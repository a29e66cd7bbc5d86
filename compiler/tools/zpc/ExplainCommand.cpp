// `zpc explain`: what a plan will do, as text, JSON or a page (runtime/plan/report).
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "compiler/tools/zpc/PlanCommand.h"
#include "compiler/tools/zpc/Verb.h"
#include "compiler/tools/zpc/ZpcMain.h"
#include "runtime/base/names.h"
#include "runtime/plan/report/explain.h"
#include "runtime/plan/report/explain_page.h"

namespace zp {
namespace {

struct Options {
  std::string plan, page;
  std::vector<rt::ExplainView> views;
  bool json = false, help = false;
};

Status usage(const std::string &message) { return Status(ErrorCode::Usage, "zpc explain: " + message + "; zpc explain --help tells the flags"); }

std::string helpText() {
  std::string text = "zpc explain plan.fb [flags]\n";
  for (rt::ExplainView view : rt::allExplainViews()) {
    std::string flag = std::string("  --") + nameOf(view);
    text += flag + std::string(17 - std::min<size_t>(flag.size(), 16), ' ') + summaryOf(view) + "\n";
  }
  return text + "  --json         the same for programs\n"
                "  --html FILE    a page with the map of memory and the streams; opens offline\n"
                "Without a view, all of them. Numbers are of one rank.\n"
                "Examples:\n"
                "  zpc explain plan.fb --memory\n"
                "  zpc explain plan.fb --collectives --json\n"
                "  zpc explain plan.fb --html plan.html\n";
}

StatusOr<Options> parse(int argc, char **argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--help" || argument == "-h") {
      options.help = true;
    } else if (argument == "--json") {
      options.json = true;
    } else if (argument == "--html" || argument.starts_with("--html=")) {
      if (argument == "--html" && i + 1 == argc)
        return usage("--html needs a file");
      options.page = argument == "--html" ? argv[++i] : argument.substr(7);
    } else if (argument.starts_with("-")) {
      std::vector<std::string> known = {"--json", "--html", "--help"};
      const std::vector<rt::ExplainView> views = rt::allExplainViews();
      auto found = std::find_if(views.begin(), views.end(), [&](auto view) { return argument == std::string("--") + nameOf(view); });
      if (found == views.end()) {
        for (rt::ExplainView view : views)
          known.push_back(std::string("--") + nameOf(view));
        std::vector<std::string> near = nearestNames(argument, known, 1);
        return Status(ErrorCode::UnknownKey, "zpc explain: " + argument + " is not a flag" + (near.empty() ? "" : "; did you mean " + near[0] + "?") +
                                                 "; zpc explain --help tells the flags");
      }
      if (std::find(options.views.begin(), options.views.end(), *found) == options.views.end())
        options.views.push_back(*found);
    } else if (!options.plan.empty()) {
      return usage("two plans, " + options.plan + " and " + argument + ", expected one");
    } else {
      options.plan = argument;
    }
  }
  if (options.plan.empty() && !options.help)
    return usage("no plan, expected a file of zpc compile");
  if (options.json && !options.page.empty())
    return usage("--json and --html, expected one of them");
  if (options.views.empty())
    options.views = rt::allExplainViews();
  return options;
}

Status run(const Options &options) {
  ZP_ASSIGN_OR_RETURN(rt::PlanFile plan, loadProvedPlan(options.plan));
  if (!options.page.empty())
    return rt::writeExplainPage(plan.plan(), options.plan, options.page);
  return printWhole(options.json ? rt::explainJson(plan.plan(), options.views) : rt::explainText(plan.plan(), options.views));
}

} // namespace

int explainMain(int argc, char **argv) { return runVerb(argc, argv, parse, helpText, run); }

} // namespace zp

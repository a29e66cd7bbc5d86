// `zpc simulate`: how long an update will take on a machine (runtime/plan/simulate).
#include <cstdio>
#include <string>

#include "compiler/tools/zpc/FlagReader.h"
#include "compiler/tools/zpc/Machine.h"
#include "compiler/tools/zpc/PlanCommand.h"
#include "compiler/tools/zpc/Verb.h"
#include "compiler/tools/zpc/ZpcMain.h"
#include "runtime/plan/simulate/simulate_report.h"

namespace zp {
namespace {

struct Options {
  std::string plan, trace;
  MachineFlags machine;
  bool json = false, help = false;
};

std::string helpText() {
  return "zpc simulate plan.fb [flags]\n"
         "  seconds and tokens per second of an update, what is exposed of its communication, and what it waits for most\n" +
         machineHelp() +
         "  --trace FILE          the timeline of a rank's streams, for ui.perfetto.dev or chrome://tracing\n"
         "  --json                the same for programs\n"
         "Examples:\n"
         "  zpc simulate plan.fb --device h100-80gb\n"
         "  zpc simulate plan.fb --cluster samples/clusters/two-a100-nodes.yaml --trace trace.json\n";
}

StatusOr<Options> parse(int argc, char **argv) {
  Options options;
  FlagReader flags("zpc simulate", argc, argv);
  while (flags.next()) {
    if (flags.is("--help") || flags.is("-h")) {
      options.help = true;
    } else if (flags.is("--json")) {
      options.json = true;
    } else if (flags.is("--trace")) {
      ZP_ASSIGN_OR_RETURN(options.trace, flags.value());
    } else if (std::string *field = options.machine.find(flags.flag())) {
      ZP_ASSIGN_OR_RETURN(*field, flags.value());
    } else if (flags.isFlag()) {
      return flags.unknown({"--json", "--trace", "--device", "--cluster", "--memory_budget", "--help"});
    } else if (!options.plan.empty()) {
      return flags.usage("two plans, " + options.plan + " and " + flags.flag() + ", expected one");
    } else {
      options.plan = flags.flag();
    }
  }
  if (options.plan.empty() && !options.help)
    return flags.usage("no plan, expected a file of zpc compile");
  return options;
}

Status run(const Options &options) {
  ZP_ASSIGN_OR_RETURN(rt::PlanFile file, loadProvedPlan(options.plan));
  ZP_ASSIGN_OR_RETURN(rt::Cluster cluster, machineOf(options.machine, file.plan().target()->str()));
  ZP_RETURN_IF_ERROR(checkRanks(cluster, file.plan().ranks(), options.plan));
  rt::PlanIndex index(file.plan());
  rt::Simulation simulation = rt::simulate(cluster, index);
  if (!options.trace.empty())
    ZP_RETURN_IF_ERROR(rt::writeTrace(index, simulation, options.trace));
  return printWhole(options.json ? rt::simulationJson(cluster, index, simulation) : rt::simulationText(cluster, index, simulation));
}

} // namespace

int simulateMain(int argc, char **argv) { return runVerb(argc, argv, parse, helpText, run); }

} // namespace zp

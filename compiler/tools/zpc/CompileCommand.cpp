// `zpc compile`: parse, run phases, hold the plan against the machine, write it.
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>

#include "compiler/Pipelines/RegisterAll.h"
#include "compiler/Support/Settings.h"
#include "compiler/Support/Targets.h"
#include "compiler/Target/Plan/PlanEmitter.h"
#include "compiler/tools/zpc/AutoRematerialize.h"
#include "compiler/tools/zpc/Compilation.h"
#include "compiler/tools/zpc/FlagReader.h"
#include "compiler/tools/zpc/Machine.h"
#include "compiler/tools/zpc/PlanCommand.h"
#include "compiler/tools/zpc/PlanSearch.h"
#include "compiler/tools/zpc/Refusal.h"
#include "compiler/tools/zpc/Verb.h"
#include "compiler/tools/zpc/ZpcMain.h"
#include "frontends/cli/WriteModule.h"
#include "frontends/common/SettingsVerifier.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "runtime/plan/checks/check_instructions.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

namespace zp {

namespace {

std::string helpText() {
  return R"(zpc compile model.mlir -o plan.fb [flags]
  -o FILE               the plan (or, with --stop_after, the module)
  --target cpu|cuda     whose kernels the plan is for (that of the device; cpu); any build explains, checks and simulates a cuda plan, a
                        zprun that was built where nvcc is runs it on a GPU
The machine: a plan that takes more than it has is refused (exit 3), with what would fit
)" + machineHelp() +
         R"(  --fit                 chooses stage, recomputation, prefetch, how gradients are reduced and offload (nvme when the module names an
                        nvme_path): the fastest predicted plan that fits; prints the runners-up
  --exhaustive          with --fit: compiles every combination instead of leaving out what cannot win
  --json                with --fit: what was tried, for programs
)"
         R"(Memory against time
  --dequant_cache_bytes SIZE  of a rank's device, for 4-bit weights as floats too: products then need not dequantise them. For weights that
                        every rank keeps whole, and on cuda for two products of a block, also in memory that is free anyway; instead of
                        what the module was imported with
Phases
  --stop_after PHASE    write the module after import, train, fuse, distribute, schedule or plan
  --start_from PHASE    the input is a module as --stop_after of the phase before wrote it
  --dump_phases DIR     write the module after every phase
Examples:
  zpc compile model.mlir -o plan.fb
  zpc compile model.mlir -o plan.fb --device a100-40gb
  zpc compile model.mlir -o plan.fb --device rtx4090 --fit
)";
}

struct Options {
  std::string input, output = "plan.fb", dumpDir, target;
  MachineFlags machine;
  Phase stop = kLastPhase, start = kFirstPhase;
  std::optional<int64_t> dequantCache;
  bool fit = false, exhaustive = false, json = false, help = false;
};

StatusOr<Options> parse(int argc, char **argv) {
  Options options;
  FlagReader flags("zpc compile", argc, argv);
  while (flags.next()) {
    if (flags.is("--help") || flags.is("-h")) {
      options.help = true;
    } else if (flags.is("--fit")) {
      options.fit = true;
    } else if (flags.is("--exhaustive")) {
      options.exhaustive = true;
    } else if (flags.is("--json")) {
      options.json = true;
    } else if (!flags.isFlag()) {
      if (!options.input.empty())
        return flags.usage("two inputs, " + options.input + " and " + flags.flag() + ", expected one module");
      options.input = flags.flag();
    } else if (flags.is("-o")) {
      ZP_ASSIGN_OR_RETURN(options.output, flags.value());
    } else if (flags.is("--dump_phases")) {
      ZP_ASSIGN_OR_RETURN(options.dumpDir, flags.value());
    } else if (flags.is("--stop_after") || flags.is("--start_from")) {
      ZP_ASSIGN_OR_RETURN(std::string value, flags.value());
      std::optional<Phase> phase = phaseNamed(value);
      if (!phase)
        return flags.usage(flags.flag() + ": '" + value + "' is not a phase, expected one of " + phaseNames());
      (flags.is("--stop_after") ? options.stop : options.start) = *phase;
    } else if (flags.is("--dequant_cache_bytes")) {
      ZP_ASSIGN_OR_RETURN(std::string value, flags.value());
      std::optional<double> bytes = value == "0" ? std::optional<double>(0) : bytesNamed(value);
      if (!bytes || *bytes > 9e18)
        return flags.usage("--dequant_cache_bytes: is '" + value + "', expected bytes, as 14GB or 0");
      options.dequantCache = static_cast<int64_t>(*bytes);
    } else if (flags.is("--target")) {
      ZP_ASSIGN_OR_RETURN(options.target, flags.value());
      if (!findTarget(options.target))
        return flags.usage("--target: '" + options.target + "' is not a target, expected " + targetNames());
    } else if (std::string *field = options.machine.find(flags.flag())) {
      ZP_ASSIGN_OR_RETURN(*field, flags.value());
    } else {
      return flags.unknown({"--target", "--device", "--cluster", "--memory_budget", "--dequant_cache_bytes", "--fit", "--exhaustive", "--json",
                            "--stop_after", "--start_from", "--dump_phases", "--help"});
    }
  }
  if (options.input.empty() && !options.help)
    return flags.usage("no input, expected a model.mlir; make one with zpc import");
  if (options.stop < options.start)
    return flags.usage("--stop_after: " + phaseName(options.stop).str() + " comes before --start_from " + phaseName(options.start).str() +
                       ", expected that phase or a later one");
  if (options.fit && !options.machine.given())
    return flags.usage("--fit: has no machine, expected --device, --cluster or --memory_budget beside it");
  if (options.fit && options.start != kFirstPhase)
    return flags.usage("--fit: is given beside --start_from, expected a module as zpc import writes it");
  if (options.dequantCache && options.start > Phase::Distribute)
    return flags.usage("--dequant_cache_bytes: is given beside --start_from of a phase after distribute, which sets the "
                       "memory aside; expected an earlier one");
  if ((options.exhaustive || options.json) && !options.fit)
    return flags.usage(std::string(options.json ? "--json" : "--exhaustive") + ": is given without --fit, expected both or none");
  return options;
}

/// Gives the module the settings that fit best, and says which were tried.
Status chooseSettings(ModuleOp module, JobSettings &settings, const rt::Cluster &cluster, const Options &options) {
  constexpr size_t kShown = 12;
  PlanSearch search = searchPlans(module, settings, cluster, options.exhaustive);
  if (!search.found())
    return Status(ErrorCode::Budget, options.input + ": does not fit: none of " + std::to_string(search.combinations) +
                                         " combinations of stage, recomputation "
                                         "and offload does, expected one within " +
                                         cluster.device + "'s memory; nearest is " + nearestOf(search.tried, settings) +
                                         "; use fewer rows, shorter ones, more ranks or a larger device");
  settings = search.tried.front().settings;
  writeSettings(module, settings);
  if (options.json)
    return printWhole(jsonOf(search.tried));
  std::vector<Candidate> shown(search.tried.begin(), search.tried.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, search.tried.size())));
  return printWhole("chosen for " + cluster.device + ", the first of " + std::to_string(search.considered) + " combinations tried; " +
                    std::to_string(search.combinations - search.considered) + " more could not be faster\n" + tableOf(shown));
}

/// What zprun would take. A module that was edited by hand may hold values that no pass has looked at.
StatusOr<rt::PlanFile> provedPlan(const std::vector<uint8_t> &payload, const std::string &module) {
  StatusOr<rt::PlanFile> plan = rt::PlanFile::fromBytes(rt::sealPlan(payload), module);
  const Status sound = plan.ok() ? rt::checkInstructions(*plan) : plan.status();
  if (sound.ok())
    return plan;
  const std::string &said = sound.message(); // whose fix is that of a plan
  return Status(ErrorCode::Module, said.substr(0, said.rfind("; ")) + "; correct the module, or import it again");
}

/// The plan's bytes, or the error; diagnostics have been printed where it has no message.
StatusOr<std::vector<uint8_t>> compile(ModuleOp module, const Options &options) {
  FailureOr<JobSettings> settings = readSettings(module);
  if (failed(settings))
    return Status(ErrorCode::Module, "");
  if (options.dequantCache) {
    settings->dequant_cache_bytes = *options.dequantCache;
    writeSettings(module, *settings);
  }
  if (Status sound = fe::verifySettings(*settings); !sound.ok()) // a module can be edited
    return Status(sound.code(), options.input + ": zp.settings: " + sound.message());
  if (options.fit) {
    ZP_ASSIGN_OR_RETURN(rt::Cluster cluster, machineOf(options.machine, targetOf(module).name.str()));
    ZP_RETURN_IF_ERROR(checkRanks(cluster, static_cast<uint32_t>(settings->num_processes), options.input));
    ZP_RETURN_IF_ERROR(chooseSettings(module, *settings, cluster, options));
  }
  if (settings->rematerialize == "auto" && options.start == kFirstPhase) {
    ZP_ASSIGN_OR_RETURN(rt::Cluster cluster, machineOf(options.machine, targetOf(module).name.str()));
    *settings = resolveRematerialize(module, *settings, cluster);
    writeSettings(module, *settings);
    ZP_RETURN_IF_ERROR(printWhole("rematerialize auto: " + recomputationText(module, *settings) + "\n"));
  }
  OwningOpRef<ModuleOp> imported; // for what a refusal tries instead
  if (options.machine.given() && options.start == kFirstPhase)
    imported = module.clone();
  ZP_RETURN_IF_ERROR(runPhases(module, options.start, options.stop, options.dumpDir));
  if (options.stop != kLastPhase) {
    ZP_RETURN_IF_ERROR(fe::writeModule(module, options.output));
    return std::vector<uint8_t>();
  }
  FailureOr<std::vector<uint8_t>> payload = emitPlan(module);
  if (failed(payload))
    return Status(ErrorCode::Internal, "");
  ZP_ASSIGN_OR_RETURN(rt::PlanFile plan, provedPlan(*payload, options.input));
  if (options.machine.given()) {
    ZP_ASSIGN_OR_RETURN(rt::Cluster cluster, machineOf(options.machine, plan.plan().target()->str()));
    ZP_RETURN_IF_ERROR(checkRanks(cluster, plan.plan().ranks(), options.input));
    ZP_RETURN_IF_ERROR(refuseExcess(plan, cluster, imported ? *imported : ModuleOp(), *settings, options.input));
  }
  return *std::move(payload);
}

Status run(const Options &options) {
  std::string target = options.target;
  if (options.machine.namesDevice()) { // whose target the plan is for
    ZP_ASSIGN_OR_RETURN(rt::Cluster cluster, machineOf(options.machine, target));
    target = cluster.target;
  }
  if (std::error_code ignored; !std::filesystem::exists(options.input, ignored))
    return Status(ErrorCode::FileMissing, options.input + ": no such file; make it with zpc import");
  DialectRegistry registry;
  registerAllDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  llvm::SourceMgr sources;
  ScopedDiagnosticHandler diagnostics(&context, [](Diagnostic &diagnostic) {
    std::fprintf(stderr, "%s\n", describe(diagnostic).c_str());
    return success();
  });
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(options.input, sources, &context);
  if (!module)
    return Status(ErrorCode::Module, "");
  if (!target.empty())
    setTarget(*module, target);
  ZP_ASSIGN_OR_RETURN(std::vector<uint8_t> payload, compile(*module, options));
  return payload.empty() ? Status() : rt::writePlanFile(options.output, payload);
}

} // namespace

int compileMain(int argc, char **argv) { return runVerb(argc, argv, parse, helpText, run); }

} // namespace zp

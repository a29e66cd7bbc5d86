// `zpc compile`: parse, run phases, write the plan.
#include <cstdio>
#include <filesystem>
#include <string>

#include "compiler/Pipelines/Pipelines.h"
#include "compiler/Pipelines/RegisterAll.h"
#include "compiler/Support/Targets.h"
#include "compiler/Target/Plan/PlanEmitter.h"
#include "compiler/tools/zpc/ZpcMain.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/ToolOutputFile.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "runtime/base/status.h"
#include "runtime/plan/plan_file.h"

using namespace mlir;

namespace zp {

namespace {

const char *const kUsage = R"(zpc compile model.mlir -o plan.fb [flags]
  --target cpu|cuda     whose kernels the plan is for (cpu); a cuda plan can be explained and checked, not run by this build
  -o FILE               the plan (or, with --stop_after, the module)
  --stop_after PHASE    write the module after import, train, fuse, distribute, schedule or plan
  --start_from PHASE    the input is a module as --stop_after of the phase before wrote it
  --dump_phases DIR     write the module after every phase
)";

struct Options {
  std::string input, output = "plan.fb", dumpDir, target;
  Phase stop = kLastPhase, start = kFirstPhase;
};

Status usage(const std::string &message) { return Status(ErrorCode::Usage, "zpc compile: " + message); }

StatusOr<Options> parse(int argc, char **argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    std::string flag = argv[i], value;
    if (flag.rfind("-", 0) != 0) {
      if (!options.input.empty())
        return usage("two inputs, " + options.input + " and " + flag + "; give one module");
      options.input = flag;
      continue;
    }
    if (size_t equal = flag.find('='); equal != std::string::npos) {
      value = flag.substr(equal + 1);
      flag.resize(equal);
    } else if (++i < argc) {
      value = argv[i];
    } else {
      return usage(flag + " needs a value");
    }
    if (flag.rfind("--", 0) == 0)
      for (char &c : flag)
        if (&c - flag.data() > 1 && c == '-')
          c = '_';
    if (flag == "-o") {
      options.output = value;
    } else if (flag == "--dump_phases") {
      options.dumpDir = value;
    } else if (flag == "--stop_after" || flag == "--start_from") {
      std::optional<Phase> phase = phaseNamed(value);
      if (!phase)
        return usage(flag + ": '" + value + "' is not a phase, expected one of " + phaseNames());
      (flag == "--stop_after" ? options.stop : options.start) = *phase;
    } else if (flag == "--target") {
      if (!findTarget(value))
        return usage("--target: '" + value + "' is not a target, expected " + targetNames());
      options.target = value;
    } else {
      return Status(ErrorCode::UnknownKey, "zpc compile: " + flag + " is not a flag; see zpc compile --help");
    }
  }
  if (options.input.empty())
    return usage("no input, expected a model.mlir; make one with zpc import");
  return options;
}

LogicalResult writeModule(ModuleOp module, const std::string &path) {
  std::string message;
  auto file = openOutputFile(path, &message);
  if (!file)
    return module.emitError(message);
  module.print(file->os());
  file->os() << "\n";
  file->keep();
  return success();
}

LogicalResult runPhases(ModuleOp module, const Options &options) {
  for (int i = static_cast<int>(options.start); i <= static_cast<int>(options.stop); ++i) {
    Phase phase = static_cast<Phase>(i);
    PassManager passes(module.getContext());
    passes.enableVerifier(true);
    buildPhase(phase, passes);
    if (failed(passes.run(module)))
      return failure();
    if (!options.dumpDir.empty() && phase != Phase::Emit) {
      std::error_code ignored;
      std::filesystem::create_directories(options.dumpDir, ignored);
      std::string name = std::to_string(i) + "-" + phaseName(phase).str() + ".mlir";
      if (failed(writeModule(module, options.dumpDir + "/" + name)))
        return failure();
    }
  }
  return success();
}

std::string placeOf(Location location) {
  auto place = location->findInstanceOf<FileLineColLoc>();
  return place ? place.getFilename().str() + ":" + std::to_string(place.getLine()) + ":" + std::to_string(place.getColumn()) : "module";
}

/// MLIR's diagnostics in our one-line form; the op's text stays out of it, the place says where to look.
LogicalResult printDiagnostic(Diagnostic &diagnostic) {
  bool error = diagnostic.getSeverity() == DiagnosticSeverity::Error;
  std::string line = placeOf(diagnostic.getLocation()) + ": " + diagnostic.str();
  std::fprintf(stderr, "%s\n", error ? Status(ErrorCode::Module, line).toString().c_str() : line.c_str());
  for (Diagnostic &note : diagnostic.getNotes())
    if (note.getLocation() != diagnostic.getLocation())
      std::fprintf(stderr, "  %s: %s\n", placeOf(note.getLocation()).c_str(), note.str().c_str());
  return success();
}

int report(const Status &status) {
  std::fprintf(stderr, "%s\n", status.toString().c_str());
  return exitCodeOf(status.code());
}

} // namespace

int compileMain(int argc, char **argv) {
  if (argc > 1 && (std::string(argv[1]) == "--help" || std::string(argv[1]) == "-h"))
    return std::fputs(kUsage, stdout), 0;
  StatusOr<Options> options = parse(argc, argv);
  if (!options.ok())
    return report(options.status());
  if (!std::filesystem::exists(options->input))
    return report(Status(ErrorCode::FileMissing, options->input + ": no such file; make it with zpc import"));

  DialectRegistry registry;
  registerAllDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  llvm::SourceMgr sources;
  ScopedDiagnosticHandler diagnostics(&context, printDiagnostic);
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(options->input, sources, &context);
  if (module && !options->target.empty())
    setTarget(*module, options->target);
  if (!module || failed(runPhases(*module, *options)))
    return 2; // the diagnostic names file, line and op
  if (options->stop != kLastPhase)
    return failed(writeModule(*module, options->output)) ? 7 : 0;
  FailureOr<std::vector<uint8_t>> payload = emitPlan(*module);
  if (failed(payload))
    return 1;
  if (Status status = rt::writePlanFile(options->output, *payload); !status.ok())
    return report(status);
  return 0;
}

} // namespace zp

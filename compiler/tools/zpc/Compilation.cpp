#include "compiler/tools/zpc/Compilation.h"

#include <filesystem>
#include <type_traits>

#include "compiler/Pipelines/Pipelines.h"
#include "compiler/Support/Settings.h"
#include "compiler/Target/Plan/PlanEmitter.h"
#include "frontends/cli/WriteModule.h"
#include "mlir/IR/OwningOpRef.h"

using namespace mlir;

namespace zp {

Status runPhases(ModuleOp module, Phase start, Phase stop, const std::string &dumpDirectory) {
  for (int i = static_cast<int>(start); i <= static_cast<int>(stop); ++i) {
    Phase phase = static_cast<Phase>(i);
    PassManager passes(module.getContext());
    passes.enableVerifier(true);
    buildPhase(phase, passes);
    if (failed(passes.run(module)))
      return Status(ErrorCode::Module, "");
    if (!dumpDirectory.empty() && phase != Phase::Emit) {
      std::error_code ignored; // the file's own error says it
      std::filesystem::create_directories(dumpDirectory, ignored);
      std::string name = std::to_string(i) + "-" + phaseName(phase).str() + ".mlir";
      ZP_RETURN_IF_ERROR(fe::writeModule(module, dumpDirectory + "/" + name));
    }
  }
  return Status();
}

static std::string placeOf(Location location) {
  auto place = location->findInstanceOf<FileLineColLoc>();
  return place ? place.getFilename().str() + ":" + std::to_string(place.getLine()) + ":" + std::to_string(place.getColumn()) : "module";
}

std::string describe(Diagnostic &diagnostic) {
  std::string line = placeOf(diagnostic.getLocation()) + ": " + diagnostic.str();
  std::string text = diagnostic.getSeverity() == DiagnosticSeverity::Error ? Status(ErrorCode::Module, line).toString() : line;
  for (Diagnostic &note : diagnostic.getNotes())
    if (note.getLocation() != diagnostic.getLocation())
      text += "\n  " + placeOf(note.getLocation()) + ": " + note.str();
  return text;
}

/// What settings have in common whose modules are the same after phase fuse.
static std::string fusedKey(JobSettings settings) {
  const JobSettings open;
  settings.zero_stage = open.zero_stage;
  settings.stage3_param_persistence_threshold = open.stage3_param_persistence_threshold;
  settings.prefetch_distance = open.prefetch_distance;
  settings.prefetch_bytes = open.prefetch_bytes;
  settings.reduce_gradients = open.reduce_gradients;
  settings.reduce_bucket_size = open.reduce_bucket_size;
  settings.offload_param_device = open.offload_param_device;
  settings.offload_optimizer_device = open.offload_optimizer_device;
  settings.offload_activation_device = open.offload_activation_device;
  std::string key;
  settings.forEach([&](const char *, const auto &value, const char *) {
    if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>)
      key += std::to_string(value) + "\n";
    else
      key += value + "\n";
  });
  return key;
}

StatusOr<rt::PlanFile> compileWith(ModuleOp module, const JobSettings &settings, FusedModules *fused) {
  std::string said;
  ScopedDiagnosticHandler diagnostics(module.getContext(), [&](Diagnostic &diagnostic) {
    if (said.empty() && diagnostic.getSeverity() == DiagnosticSeverity::Error)
      said = placeOf(diagnostic.getLocation()) + ": " + diagnostic.str();
    return success();
  });
  FusedModules own;
  OwningOpRef<ModuleOp> &start = (fused ? *fused : own)[fused ? fusedKey(settings) : ""];
  if (!start) {
    OwningOpRef<ModuleOp> copy(module.clone());
    writeSettings(*copy, settings);
    if (!runPhases(*copy, kFirstPhase, Phase::Fuse).ok())
      return Status(ErrorCode::Module, said);
    start = std::move(copy);
  }
  OwningOpRef<ModuleOp> copy = fused ? OwningOpRef<ModuleOp>(start->clone()) : std::move(start);
  writeSettings(*copy, settings);
  if (!runPhases(*copy, Phase::Distribute, kLastPhase).ok())
    return Status(ErrorCode::Module, said);
  FailureOr<std::vector<uint8_t>> payload = emitPlan(*copy);
  if (failed(payload))
    return Status(ErrorCode::Module, said);
  return rt::PlanFile::fromBytes(rt::sealPlan(*payload), "plan");
}

} // namespace zp

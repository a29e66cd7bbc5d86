#include "frontends/cli/ImportCommand.h"

#include <cstdio>

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/raw_ostream.h"

#include "frontends/accelerate/AccelerateConfig.h"
#include "frontends/accelerate/ConfigSettings.h"
#include "frontends/builder/NNBuilder.h"
#include "frontends/cli/ImportFlags.h"
#include "frontends/cli/WriteModule.h"
#include "frontends/huggingface/LoraSettings.h"
#include "frontends/huggingface/ModelImporter.h"

namespace zp::fe {

static std::string wordOf(int64_t value) { return std::to_string(value); }
static std::string wordOf(bool value) { return value ? "true" : "false"; }
static std::string wordOf(const std::string &value) { return value; }
static std::string wordOf(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

/// The command line with the settings that are the file's behind it.
static StatusOr<ImportOptions> withConfigFile(const ImportOptions &options, const std::vector<std::string> &words) {
  ZP_ASSIGN_OR_RETURN(JobConfig config, readAccelerateConfig(options.configFile));
  SettingSources sources;
  options.settings.forEach([&](const char *name, const auto &value, const char *) {
    if (options.given.count(name))
      sources[name] = {wordOf(value), std::string("--") + name};
  });
  ZP_RETURN_IF_ERROR(addConfigSettings(config, options.model, sources, config.notes));
  std::vector<std::string> all = words;
  for (const auto &[name, source] : sources)
    if (source.origin != "--" + name)
      all.push_back("--" + name + "=" + source.value);
  for (const std::string &note : config.notes)
    llvm::errs() << "note: " << note << '\n';
  return parseImportFlags(all);
}

static Status runImport(const ImportOptions &options) {
  if (options.model.empty())
    return Status(ErrorCode::Usage,
                  "--model: is missing, expected a Hugging Face directory; write --model DIR");
  if (!options.adapter.empty()) {
    for (const std::string &name : options.given)
      if (isLoraFlag(name))
        return Status(ErrorCode::Config,
                      "--" + name +
                          ": is given beside --adapter_name_or_path, expected LoRA's settings from "
                          "one source; drop one of the two");
    if (!options.settings.use_peft_lora)
      return Status(ErrorCode::Config, "--use_peft_lora: is false beside --adapter_name_or_path, "
                                       "expected true; drop one of the two");
  }
  ZP_ASSIGN_OR_RETURN(ImportedModel imported,
                      importModel({options.model, options.adapter, options.settings, options.given}));
  for (const std::string &warning : imported.warnings)
    llvm::errs() << warning << '\n';
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  mlir::OwningOpRef<mlir::ModuleOp> module = buildModule(context, imported.spec, imported.settings,
                                                         {options.model, imported.adapterConfig});
  if (!module)
    return Status(ErrorCode::Internal,
                  options.model + ": the module that was built doesn't verify, expected sound IR; "
                                  "report this with the config.json");
  ZP_RETURN_IF_ERROR(writeModule(*module, options.output, "-o"));
  // Standard output is the module's when it goes there.
  (options.output == "-" ? llvm::errs() : llvm::outs()) << summarise(imported.counts) << '\n';
  return Status();
}

int importMain(int argc, const char **argv) {
  const std::vector<std::string> words(argv + (argc ? 1 : 0), argv + argc);
  StatusOr<ImportOptions> options = parseImportFlags(words);
  if (options.ok() && options->help) {
    llvm::outs() << importHelp();
    return 0;
  }
  if (options.ok() && !options->configFile.empty())
    options = withConfigFile(*options, words);
  Status status = options.ok() ? runImport(*options) : options.status();
  if (!status.ok())
    llvm::errs() << status.toString() << '\n';
  return exitCodeOf(status.code());
}

} // namespace zp::fe

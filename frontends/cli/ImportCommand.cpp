#include "frontends/cli/ImportCommand.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/raw_ostream.h"

#include "frontends/builder/NNBuilder.h"
#include "frontends/cli/ConfiguredFlags.h"
#include "frontends/cli/WriteModule.h"
#include "frontends/huggingface/LoraSettings.h"
#include "frontends/huggingface/ModelImporter.h"

namespace zp::fe {

static Status runImport(const ImportOptions &options) {
  if (options.model.empty())
    return Status(ErrorCode::Usage, "--model: is missing, expected a Hugging Face directory; write --model DIR");
  if (!options.adapter.empty()) {
    for (const std::string &name : options.given)
      if (isLoraFlag(name))
        return Status(ErrorCode::Config, "--" + name +
                                             ": is given beside --adapter_name_or_path, expected LoRA's settings from "
                                             "one source; drop one of the two");
    if (!options.settings.use_peft_lora)
      return Status(ErrorCode::Config, "--use_peft_lora: is false beside --adapter_name_or_path, "
                                       "expected true; drop one of the two");
  }
  ZP_ASSIGN_OR_RETURN(ImportedModel imported, importModel({options.model, options.adapter, options.settings, options.given}));
  for (const std::string &warning : imported.warnings)
    llvm::errs() << warning << '\n';
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  mlir::OwningOpRef<mlir::ModuleOp> module = buildModule(context, imported.spec, imported.settings, {options.model, imported.adapterConfig});
  if (!module)
    return Status(ErrorCode::Internal, options.model + ": the module that was built doesn't verify, expected sound IR; "
                                                       "report this with the config.json");
  ZP_RETURN_IF_ERROR(writeModule(*module, options.output));
  // Standard output is the module's when it goes there.
  (options.output == "-" ? llvm::errs() : llvm::outs()) << summarise(imported.counts) << '\n';
  return Status();
}

int importMain(int argc, const char **argv) {
  std::vector<std::string> notes;
  StatusOr<ImportOptions> options = parseConfiguredFlags({argv + (argc ? 1 : 0), argv + argc}, notes);
  if (options.ok() && options->help) {
    llvm::outs() << importHelp();
    return 0;
  }
  for (const std::string &note : notes)
    llvm::errs() << "note: " << note << '\n';
  Status status = options.ok() ? runImport(*options) : options.status();
  if (!status.ok())
    llvm::errs() << status.toString() << '\n';
  return exitCodeOf(status.code());
}

} // namespace zp::fe

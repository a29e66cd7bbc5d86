// `zpc estimate`: what a model takes on a machine, over a grid of settings: every cell is imported, compiled and simulated.
#include <algorithm>
#include <cstdio>
#include <set>
#include <string>

#include "compiler/Pipelines/RegisterAll.h"
#include "compiler/Support/Targets.h"
#include "compiler/tools/zpc/Candidate.h"
#include "compiler/tools/zpc/FlagReader.h"
#include "compiler/tools/zpc/Machine.h"
#include "compiler/tools/zpc/PlanCommand.h"
#include "compiler/tools/zpc/Verb.h"
#include "compiler/tools/zpc/ZpcMain.h"
#include "frontends/builder/NNBuilder.h"
#include "frontends/cli/ConfiguredFlags.h"
#include "frontends/huggingface/ModelImporter.h"
#include "mlir/IR/MLIRContext.h"
#include "runtime/base/names.h"

using namespace mlir;

namespace zp {
namespace {

// Grids are for people to read: a slip of the hand must not compile for hours.
constexpr size_t kMostCells = 1000;

struct Axis {
  std::vector<std::string> flags; ///< that a value is given to
  std::vector<std::string> values;
};

struct Options {
  MachineFlags machine;
  std::string target;
  std::vector<Axis> grid; ///< empty: defaultGrid
  std::vector<std::string> importFlags;
  bool json = false, help = false;
};

std::string helpText() {
  return R"(zpc estimate --model DIR [flags of zpc import] [flags]
  the peak of every memory and the time of an update, for each cell of a grid; needs config.json alone, no weights
  --grid AXIS=V,V ...   axes: any setting of zpc import, stage (zero_stage), offload (of parameters, optimizer and activations);
                        stage=0,1,2,3 offload=none,cpu, each where no flag and no --config_file says which
  --target cpu|cuda     whose kernels (that of the device; cuda)
)" + machineHelp() +
         R"(  --json                the same for programs
Examples:
  zpc estimate --model DIR --lora_r 8 --bf16 --num_processes 8 --device a100-80gb
  zpc estimate --model DIR --bf16 --grid stage=1,2,3 offload=none,cpu,nvme num_processes=1,2,8 --memory_budget 24GiB
)";
}

/// The flags of an axis by its name.
std::vector<std::string> flagsOf(const std::string &axis) {
  if (axis == "offload")
    return {"--offload_param_device", "--offload_optimizer_device", "--offload_activation_device"};
  return {axis == "stage" ? "--zero_stage" : "--" + axis};
}

/// Stages and offload, as far as the settings that are `given` leave them open.
std::vector<Axis> defaultGrid(const std::set<std::string> &given) {
  std::vector<Axis> grid = {{flagsOf("stage"), {"0", "1", "2", "3"}}, {flagsOf("offload"), {"none", "cpu"}}};
  std::erase_if(grid, [&](const Axis &axis) {
    return std::any_of(axis.flags.begin(), axis.flags.end(), [&](const std::string &flag) { return given.count(flag.substr(2)) > 0; });
  });
  return grid;
}

StatusOr<Axis> axisOf(const std::string &word, const FlagReader &flags) {
  const size_t equal = word.find('=');
  Axis axis;
  if (equal != std::string::npos)
    axis.values = splitCommaList(word.substr(equal + 1));
  if (axis.values.empty())
    return flags.usage("--grid: '" + word + "' is no axis, expected NAME=VALUE,VALUE");
  axis.flags = flagsOf(word.substr(0, equal));
  return axis;
}

StatusOr<Options> parse(int argc, char **argv) {
  Options options;
  FlagReader flags("zpc estimate", argc, argv);
  while (flags.next()) {
    if (flags.is("--help") || flags.is("-h")) {
      options.help = true;
    } else if (flags.is("--json")) {
      options.json = true;
    } else if (flags.is("--target")) {
      ZP_ASSIGN_OR_RETURN(options.target, flags.value());
      if (!findTarget(options.target))
        return flags.usage("--target: '" + options.target + "' is not a target, expected " + targetNames());
    } else if (flags.is("--grid")) {
      for (const std::string &word : flags.values()) {
        ZP_ASSIGN_OR_RETURN(Axis axis, axisOf(word, flags));
        options.grid.push_back(std::move(axis));
      }
    } else if (std::string *field = options.machine.find(flags.flag())) {
      ZP_ASSIGN_OR_RETURN(*field, flags.value());
    } else { // import's own
      options.importFlags.push_back(flags.flag());
      for (const std::string &value : flags.values())
        options.importFlags.push_back(value);
    }
  }
  size_t cells = 1;
  for (const Axis &axis : options.grid)
    cells *= std::min(axis.values.size(), kMostCells + 1);
  if (cells > kMostCells)
    return flags.usage("--grid: has " + std::to_string(cells) + " cells, expected at most " + std::to_string(kMostCells));
  return options;
}

/// The flags of each cell; the last axis changes fastest.
std::vector<std::vector<std::string>> cellsOf(const std::vector<Axis> &grid) {
  std::vector<std::vector<std::string>> cells = {{}};
  for (const Axis &axis : grid) {
    std::vector<std::vector<std::string>> longer;
    for (const std::vector<std::string> &cell : cells)
      for (const std::string &value : axis.values) {
        longer.push_back(cell);
        for (const std::string &flag : axis.flags)
          longer.back().insert(longer.back().end(), {flag, value});
      }
    cells = std::move(longer);
  }
  return cells;
}

Status run(const Options &options) {
  ZP_ASSIGN_OR_RETURN(rt::Cluster cluster,
                      machineOf(options.machine, options.target.empty() && !options.machine.namesDevice() ? "cuda" : options.target));
  DialectRegistry registry;
  registerAllDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  std::vector<std::string> notes;
  ZP_ASSIGN_OR_RETURN(fe::ImportOptions base, fe::parseConfiguredFlags(options.importFlags, notes));
  for (const std::string &note : notes)
    std::fprintf(stderr, "note: %s\n", note.c_str());
  std::vector<Candidate> candidates;
  for (const std::vector<std::string> &cell : cellsOf(options.grid.empty() ? defaultGrid(base.given) : options.grid)) {
    std::vector<std::string> words = options.importFlags;
    words.insert(words.end(), cell.begin(), cell.end()); // the last of two wins
    ZP_ASSIGN_OR_RETURN(fe::ImportOptions import, fe::parseConfiguredFlags(words, notes));
    if (import.model.empty())
      return Status(ErrorCode::Usage, "--model: is missing, expected a Hugging Face directory; write --model DIR");
    ZP_ASSIGN_OR_RETURN(fe::ImportedModel imported, fe::importModel({import.model, import.adapter, import.settings, import.given}));
    if (candidates.empty())
      for (const std::string &warning : imported.warnings)
        std::fprintf(stderr, "%s\n", warning.c_str());
    OwningOpRef<ModuleOp> module = fe::buildModule(context, imported.spec, imported.settings, {import.model, imported.adapterConfig});
    if (!module)
      return Status(ErrorCode::Internal,
                    import.model + ": the module that was built doesn't verify, expected sound IR; report this with the config.json");
    setTarget(*module, cluster.target);
    candidates.push_back(evaluate(*module, imported.settings, cluster));
  }
  if (options.json)
    return printWhole(jsonOf(candidates));
  return printWhole("one update on " + cluster.device + (cluster.memory > 0 ? "" : " of any memory") +
                    "; device: bytes of a rank beside the process's own\n" + tableOf(candidates));
}

} // namespace

int estimateMain(int argc, char **argv) { return runVerb(argc, argv, parse, helpText, run); }

} // namespace zp

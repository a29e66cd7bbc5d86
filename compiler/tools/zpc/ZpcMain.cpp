#include "compiler/tools/zpc/ZpcMain.h"

#include <cstdio>
#include <cstring>

#include "frontends/cli/ImportCommand.h"
#include "runtime/base/version.h"

namespace zp {

static const char *const kUsage = R"(zpc: from a model directory and training settings to a plan

  zpc import   --model DIR [training flags] -o model.mlir     read a Hugging Face directory
  zpc compile  model.mlir -o plan.fb                          make the plan that zprun carries out
  zpc explain  plan.fb [--memory|--collectives|...]           what the plan will do, before it does it
  zpc estimate --model DIR --device NAME [--grid ...]         what a model takes, over stages, offloads, ranks, ...
  zpc simulate plan.fb --device NAME | --cluster FILE         how long an update will take there
  zpc check    plan.fb                                        prove a plan's memory and order once more

  zpc VERB --help tells a verb's flags.
)";

int zpcMain(int argc, char **argv) {
  if (const std::string answer = versionAnswer("zpc", argc, argv); !answer.empty())
    return std::fputs(answer.c_str(), stdout) < 0;
  const char *verb = argc > 1 ? argv[1] : "";
  if (!std::strcmp(verb, "import"))
    return fe::importMain(argc - 1, const_cast<const char **>(argv + 1));
  if (!std::strcmp(verb, "compile"))
    return compileMain(argc - 1, argv + 1);
  if (!std::strcmp(verb, "explain"))
    return explainMain(argc - 1, argv + 1);
  if (!std::strcmp(verb, "estimate"))
    return estimateMain(argc - 1, argv + 1);
  if (!std::strcmp(verb, "simulate"))
    return simulateMain(argc - 1, argv + 1);
  if (!std::strcmp(verb, "check"))
    return checkMain(argc - 1, argv + 1);
  bool asked = !std::strcmp(verb, "--help") || !std::strcmp(verb, "-h");
  if (!asked)
    std::fprintf(stderr, "error[ZP1001] zpc: '%s' is not a verb, expected import, compile, explain, estimate, simulate or check\n", verb);
  std::fputs(kUsage, asked ? stdout : stderr);
  return asked ? 0 : 2;
}

} // namespace zp

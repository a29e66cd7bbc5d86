// zprun's command line.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_OPTIONS_H
#define ZP_RUNTIME_TOOLS_ZPRUN_OPTIONS_H

#include <optional>
#include <string>

#include "runtime/base/status.h"
#include "runtime/generation/generation_settings.h"
#include "runtime/tools/zprun/quantize/quantize.h"

namespace zp::rt {

enum class Verb { Train, Eval, Bench, Generate, Quantize };

struct ZprunOptions {
  Verb verb = Verb::Train;
  std::string plan, model, dataset, outputDirectory, adapter;
  int processes = 0; ///< 0: not given
  int threads = 0;
  bool shadow = false, reference = false, quiet = false, dryRun = false;
  std::string kernelPath; ///< empty: the fastest
  std::string nvmePath;   ///< empty: as the plan says
  uint64_t maxShardBytes = 5'000'000'000;
  // training: a checkpoint to go on from, and what takes the place of the plan's settings
  std::string resume;
  std::optional<std::string> saveStrategy;
  std::optional<double> saveSteps;
  std::optional<int64_t> saveTotalLimit;
  // eval
  bool adapterOff = false;
  std::string logitsFile;
  uint64_t logitsRows = 1;
  // generate
  std::string prompts, continuations;
  GenerationFlags generation;
  // bench
  uint64_t steps = 10;
  std::string calibrate; ///< the cluster.yaml to write; empty: none
  QuantizeOptions quantize;
};

struct Parsed {
  ZprunOptions options;
  std::string text; ///< to print instead of running: help
};

/// Errors: Usage, UnknownKey with the nearest flag.
StatusOr<Parsed> parseOptions(int argc, char **argv);

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_OPTIONS_H

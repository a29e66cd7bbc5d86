// zprun's command line.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_OPTIONS_H
#define ZP_RUNTIME_TOOLS_ZPRUN_OPTIONS_H

#include <chrono>
#include <optional>
#include <string>

#include "runtime/base/status.h"
#include "runtime/executor/executor.h"
#include "runtime/generation/generation_settings.h"
#include "runtime/schema/settings.h"
#include "runtime/tools/zprun/merge/merge.h"
#include "runtime/tools/zprun/quantize/quantize.h"
#include "runtime/tools/zprun/resize/resize.h"
#include "runtime/trainer/bench.h"

namespace zp::rt {

enum class Verb { Train, Eval, Bench, Generate, Merge, Quantize, Resize };

/// What takes the place of the plan's settings of the same names.
struct RunSettings {
  std::optional<std::string> save_strategy, eval_strategy, metric_for_best_model, greater_is_better;
  std::optional<double> save_steps, eval_steps, eval_delay;
  std::optional<int64_t> save_total_limit, per_device_eval_batch_size;
  std::optional<bool> eval_on_start, load_best_model_at_end;

  /// Lays what is given over the plan's.
  void over(JobSettings &settings) const;
};

struct ZprunOptions {
  Verb verb = Verb::Train;
  std::string plan, model, dataset, outputDirectory, adapter;
  int processes = 0; ///< 0: not given
  int threads = 0;
  bool shadow = false, reference = false, quiet = false, dryRun = false;
  bool readInPlace = true;
  ExecutorFactory cuda = nullptr;              ///< of the program, no flag
  std::chrono::steady_clock::time_point began; ///< when the program did
  std::string kernelPath;                      ///< empty: the fastest
  std::string baseName;                        ///< how adapter_config.json names the base; empty: as --model does
  std::string nvmePath;                        ///< empty: as the plan says
  std::string trace;                           ///< file for the timeline of training or bench; empty: none
  uint64_t maxShardBytes = 5'000'000'000;
  // training: a checkpoint to go on from, and what takes the place of the plan's settings
  std::string resume;
  RunSettings run;
  std::string evalDataset;
  std::string reportTo = "none", loggingDirectory; ///< tensorboard or none; empty: runs/ of the output directory
  bool reportMemory = false; ///< training: loss and memory after each epoch and evaluation; evaluation and generation: their memory
  std::string tokenizer;     ///< directory; empty: the model's
  bool pushToHub = false;
  std::string hubModel; ///< NAME/MODEL; empty: the output directory's name
  // eval
  bool adapterOff = false;
  std::string logitsFile;
  uint64_t logitsRows = 1;
  // generate
  std::string prompts, continuations;
  bool streamTokens = false; ///< tokens on standard output as they come, and nothing else there
  GenerationFlags generation;
  // bench
  BenchSteps steps;
  std::string against;   ///< the plan whose steps take turns with those of `plan`; empty: none
  std::string calibrate; ///< the cluster.yaml to write; empty: none
  double throttle = 0;   ///< bytes a second of a collective; 0: as fast as it goes
  QuantizeOptions quantize;
  MergeOptions merge;
  ResizeOptions resize;
};

struct Parsed {
  ZprunOptions options;
  std::string text; ///< to print instead of running: help
};

/// Errors: Usage, UnknownKey with the nearest flag.
StatusOr<Parsed> parseOptions(int argc, char **argv);

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_OPTIONS_H

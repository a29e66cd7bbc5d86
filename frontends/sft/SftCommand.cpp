#include "frontends/sft/SftCommand.h"

#include <cstdio>

#include "frontends/accelerate/AccelerateConfig.h"
#include "frontends/accelerate/DsConfig.h"
#include "frontends/process/Process.h"
#include "frontends/sft/NewTokens.h"
#include "frontends/sft/StepCache.h"
#include "runtime/base/atomic_file.h"
#include "runtime/base/text_file.h"

namespace zp::fe {

namespace {

StatusOr<JobConfig> readConfig(const SftArguments &arguments) {
  JobConfig config;
  const std::string yaml = arguments.get("config_file"), json = arguments.get("deepspeed");
  if (!yaml.empty()) {
    ZP_ASSIGN_OR_RETURN(config, readAccelerateConfig(yaml));
    if (config.machines > 1 && !arguments.isOn("dry_run"))
      return Status(ErrorCode::Config, yaml + ": num_machines: is " + std::to_string(config.machines) +
                                           ", expected 1: zp sft starts ranks on this machine alone; take the lines of --dry_run and "
                                           "start zprun by mpirun, srun or torchrun");
  }
  if (json.empty())
    return config;
  if (!yaml.empty() && config.wish("zero_stage"))
    return Status(ErrorCode::Config, "--deepspeed: is given beside " + config.wish("zero_stage")->place +
                                         ", expected ZeRO's settings from one source; drop one of the two");
  ZP_RETURN_IF_ERROR(readDsConfig(json, config));
  return config;
}

void printPlan(const SftJob &job) {
  std::printf("settings that are not at their default:\n");
  for (const ResolvedSetting &setting : job.settings)
    std::printf("  %s = %s    (%s)\n", setting.name.c_str(), setting.value.c_str(), setting.origin.c_str());
}

/// With its standard output in `report`, whole or not there.
StatusOr<int> runReported(const Step &step) {
  ZP_ASSIGN_OR_RETURN(AtomicFile report, AtomicFile::create(step.report));
  ZP_ASSIGN_OR_RETURN(const int code, runTool(step, report.descriptor()));
  if (code == 0)
    ZP_RETURN_IF_ERROR(report.commit());
  return code;
}

class Runner {
public:
  Runner(const SftJob &job, const Tools &tools) : job(job), steps(stepsOf(job, tools)) {}

  int dryRun() const {
    printPlan(job);
    for (size_t i = 0; i < steps.size(); ++i)
      announce(i);
    return 0;
  }

  StatusOr<int> run() {
    ZP_ASSIGN_OR_RETURN(StepCache cache, StepCache::open(cacheFolder(job)));
    for (size_t i = 0; i < steps.size(); ++i) {
      ZP_ASSIGN_OR_RETURN(int code, runStep(i, cache));
      if (code == 0)
        continue;
      std::fprintf(stderr, "zp sft: step %zu of %zu, %s, ended with exit code %d\n", i + 1, steps.size(), steps[i].name.c_str(), code);
      return code;
    }
    return 0;
  }

private:
  void announce(size_t i) const {
    std::printf("[%zu/%zu] %s: %s\n", i + 1, steps.size(), steps[i].name.c_str(), commandLine(steps[i]).c_str());
    std::fflush(stdout);
  }

  StatusOr<int> runStep(size_t i, StepCache &cache) {
    const Step &step = steps[i];
    announce(i);
    ZP_ASSIGN_OR_RETURN(std::string key, cache.keyOf(step));
    bool again = job.overwrite && step.name == "train";
    if (!again && cache.isDone(step, key)) {
      std::printf("  nothing has changed since it ran: kept %s\n", step.outputs[0].c_str());
      showReport(step);
      return 0;
    }
    cache.forget(step);
    ZP_ASSIGN_OR_RETURN(int code, step.report.empty() ? runTool(step) : runReported(step));
    if (code != 0)
      return code;
    showReport(step);
    ZP_RETURN_IF_ERROR(cache.finish(step, key));
    return 0;
  }

  static void showReport(const Step &step) {
    if (step.report.empty())
      return;
    if (StatusOr<std::string> text = readTextFile(step.report); text.ok())
      std::fputs(text->c_str(), stdout);
  }

  const SftJob &job;
  std::vector<Step> steps;
};

StatusOr<int> start(const std::vector<std::string> &words) {
  ZP_ASSIGN_OR_RETURN(SftArguments arguments, parseSftFlags(words));
  if (arguments.help) {
    std::fputs(sftHelp().c_str(), stdout);
    return 0;
  }
  ZP_ASSIGN_OR_RETURN(JobConfig config, readConfig(arguments));
  ZP_ASSIGN_OR_RETURN(SftJob job, resolveJob(arguments, config));
  const Tools tools = ownFolder();
  ZP_RETURN_IF_ERROR(checkTools(tools));
  ZP_RETURN_IF_ERROR(countNewTokens(job, tools));
  if (!job.quiet)
    for (const std::string &note : job.notes)
      std::fprintf(stderr, "note: %s\n", note.c_str());
  Runner runner(job, tools);
  return job.dryRun ? runner.dryRun() : runner.run();
}

} // namespace

int sftMain(int argc, const char **argv) {
  StatusOr<int> code = start({argv + (argc ? 1 : 0), argv + argc});
  if (code.ok())
    return *code;
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", code.status().toString().c_str());
  return exitCodeOf(code.status().code());
}

} // namespace zp::fe

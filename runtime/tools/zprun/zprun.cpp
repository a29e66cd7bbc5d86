#include "runtime/tools/zprun/zprun.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>

#include "runtime/base/guarded.h"
#include "runtime/bootstrap/environment.h"
#include "runtime/bootstrap/local_launch.h"
#include "runtime/kernels/kernel_path.h"
#include "runtime/tools/zprun/last_words.h"
#include "runtime/tools/zprun/lost_mapping.h"
#include "runtime/tools/zprun/options.h"
#include "runtime/tools/zprun/reports.h"
#include "runtime/tools/zprun/session.h"

namespace zp::rt {

/// One rank's life.
static int runAndReport(const Session &session, Communicator &communicator, FirstError &errors) {
  LastWords words(communicator, errors);
  StatusOr<int> result = runRank(session, communicator, words);
  if (result.ok())
    return *result;
  words.say(result.status()); // if nobody has
  return exitCodeOf(result.status().code());
}

/// How many ranks there will be: those of the launcher that started this process, or those of -n.
static Status checkProcesses(const ZprunOptions &options, const Environment &environment) {
  if (!environment.launched || options.processes == 0 || options.processes == environment.size)
    return {};
  return Status(ErrorCode::WorldSize, "zprun: -n is " + std::to_string(options.processes) + ", but " + environment.source + " say " +
                                          std::to_string(environment.size) + " ranks; leave -n out under a launcher");
}

static StatusOr<int> start(const ZprunOptions &options) {
  if (options.verb == Verb::Quantize) {
    ZP_RETURN_IF_ERROR(quantizeModel(options.quantize));
    return 0;
  }
  if (options.verb == Verb::Merge) {
    ZP_RETURN_IF_ERROR(mergeAdapter(options.merge));
    return 0;
  }
  if (options.verb == Verb::Resize) {
    ZP_RETURN_IF_ERROR(resizeModel(options.resize));
    return 0;
  }
  if (!options.kernelPath.empty())
    ZP_RETURN_IF_ERROR(useKernelPath(options.kernelPath)); // before ranks are forked: it is theirs too
  ZP_ASSIGN_OR_RETURN(Environment environment, readEnvironment());
  ZP_RETURN_IF_ERROR(checkProcesses(options, environment));
  const int world = environment.launched ? environment.size : options.processes > 0 ? options.processes : 1;
  const int here = environment.launched && environment.localSize > 0 ? environment.localSize : world;
  // Everything that can be refused is refused here, once, before a process is forked.
  ZP_ASSIGN_OR_RETURN(Session session, openSession(options, world, here, environment.rank == 0));
  if (options.dryRun) {
    if (environment.rank == 0)
      reportPlan(session);
    return 0;
  }
  FirstError errors;
  if (!environment.launched)
    return launchLocal(world, [&](std::unique_ptr<Communicator> communicator) { return runAndReport(session, *communicator, errors); });
  ZP_ASSIGN_OR_RETURN(std::unique_ptr<Communicator> communicator, connect(environment));
  return runAndReport(session, *communicator, errors);
}

static int run(int argc, char **argv, ExecutorFactory cuda) {
  const auto began = std::chrono::steady_clock::now();
  reportLostMappings();
  std::signal(SIGXFSZ, SIG_IGN); // a limit on file sizes is an error of the write, as a full disk is
  StatusOr<Parsed> parsed = parseOptions(argc, argv);
  StatusOr<int> code = 0;
  if (!parsed.ok())
    code = parsed.status();
  else if (!parsed->text.empty())
    std::fputs(parsed->text.c_str(), stdout);
  else {
    parsed->options.cuda = cuda;
    parsed->options.began = began;
    code = start(parsed->options);
  }
  if (code.ok())
    return *code;
  printError(code.status());
  return exitCodeOf(code.status().code());
}

int zprunMain(int argc, char **argv, ExecutorFactory cuda) {
  return guarded("zprun", [&] { return run(argc, argv, cuda); });
}

} // namespace zp::rt

// The steps of a job as command lines, with what each depends on and makes. Nothing is run or read here.
#ifndef ZP_FRONTENDS_SFT_STEPS_H
#define ZP_FRONTENDS_SFT_STEPS_H

#include <string>
#include <utility>
#include <vector>

#include "frontends/sft/SftJob.h"
#include "frontends/sft/Tools.h"

namespace zp::fe {

struct StepInput {
  std::string path;
  bool headersOnly = false; ///< of *.safetensors: names and shapes, not the weights
};

struct Step {
  std::string name;
  std::vector<std::string> words; ///< the command line; words[0] is the tool's path
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<StepInput> inputs; ///< files, or directories whose files count
  std::vector<std::string> outputs;
  std::string report; ///< a file that takes the standard output; empty: the terminal
};

/// Where a job keeps what it can use again.
std::string cacheFolder(const SftJob &job);

/// (tokenizer, resize,) data, (data of the test split,) import, compile, train, (evaluate), in order.
std::vector<Step> stepsOf(const SftJob &job, const Tools &tools);

/// The words as a shell takes them, the tool by its name alone.
std::string commandLine(const Step &step);

} // namespace zp::fe

#endif // ZP_FRONTENDS_SFT_STEPS_H

// A command line of one of our tools, with what it depends on and makes.
#ifndef ZP_FRONTENDS_PROCESS_STEP_H
#define ZP_FRONTENDS_PROCESS_STEP_H

#include <string>
#include <utility>
#include <vector>

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

/// The words as a shell takes them, the tool by its name alone.
std::string commandLine(const Step &step);

} // namespace zp::fe

#endif // ZP_FRONTENDS_PROCESS_STEP_H

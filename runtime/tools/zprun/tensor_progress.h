// How far a verb that writes a model has come: a bar on a terminal, a line for every tenth elsewhere.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_TENSOR_PROGRESS_H
#define ZP_RUNTIME_TOOLS_ZPRUN_TENSOR_PROGRESS_H

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <unistd.h>

namespace zp::rt {

class TensorProgress {
public:
  TensorProgress(const char *verb, uint64_t all, bool quiet) : verb(verb), all(all), quiet(quiet), terminal(isatty(STDERR_FILENO)) {}
  ~TensorProgress() {
    if (open)
      std::fputc('\n', stderr);
  }
  void step() {
    ++done;
    if (quiet || (!terminal && done * 10 / all == (done - 1) * 10 / all))
      return;
    std::fprintf(stderr, terminal ? "\r%s: %" PRIu64 "/%" PRIu64 " tensors\x1b[K" : "%s: %" PRIu64 "/%" PRIu64 " tensors\n", verb, done, all);
    open = terminal;
  }

private:
  const char *verb;
  uint64_t all, done = 0;
  bool quiet, terminal, open = false;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_TENSOR_PROGRESS_H

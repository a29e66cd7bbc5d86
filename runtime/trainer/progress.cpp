#include "runtime/trainer/progress.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <string>
#include <unistd.h>

namespace zp::rt {

Progress::Progress(uint64_t done, uint64_t updates, const LoggingPolicy &logging, bool quiet)
    : done(done), updates(updates), logging(logging), quiet(quiet), terminal(isatty(STDERR_FILENO)) {}

Progress::~Progress() {
  if (open)
    std::fputc('\n', stderr);
}

void Progress::show(const StepMetrics &m, uint64_t residentBytes) {
  secondsSoFar += m.stepSeconds;
  if (quiet || (!terminal && !logging.after(m.step) && m.step != updates))
    return;
  std::string scaling;
  if (!std::isnan(m.lossScale))
    scaling = "  scale " + std::to_string(static_cast<uint64_t>(m.lossScale)) + ", " + std::to_string(m.skippedSteps) + " skipped";
  char text[256];
  std::snprintf(text, sizeof text, "step %" PRIu64 "/%" PRIu64 "  loss %.4f  grad %.3f  lr %.3g  %.0f tok/s  %.0f MB%s", m.step, updates, m.loss,
                m.gradNorm, m.learningRate, m.tokensPerSecond, static_cast<double>(residentBytes) / 1e6, scaling.c_str());
  if (!terminal) {
    std::fprintf(stderr, "%s\n", text);
    return;
  }
  constexpr int width = 20;
  int filled = static_cast<int>(width * m.step / std::max<uint64_t>(1, updates));
  auto left = static_cast<uint64_t>(secondsSoFar / static_cast<double>(std::max<uint64_t>(1, m.step - done)) * static_cast<double>(updates - m.step));
  std::fprintf(stderr, "\r[%.*s%.*s] %s  %" PRIu64 ":%02" PRIu64 " left\x1b[K", filled, "====================", width - filled,
               "                    ", text, left / 60, left % 60);
  open = true;
}

} // namespace zp::rt

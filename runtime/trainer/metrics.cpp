#include "runtime/trainer/metrics.h"

#include <cerrno>
#include <cinttypes>
#include <cstring>

namespace zp::rt {

std::string metricsLine(const StepMetrics &m) {
  char line[512];
  std::snprintf(line, sizeof line,
                "{\"step\": %" PRIu64 ", \"loss\": %.17g, \"grad_norm\": %.17g, \"learning_rate\": %.17g, \"num_tokens\": %" PRIu64
                ", \"epoch\": %.17g, \"step_seconds\": %.17g, \"tokens_per_second\": %.17g}",
                m.step, m.loss, m.gradNorm, m.learningRate, m.numTokens, m.epoch, m.stepSeconds, m.tokensPerSecond);
  return line;
}

static Status failed(const std::string &path) {
  int error = errno;
  bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return Status(full ? ErrorCode::DiskFull : ErrorCode::DiskWrite,
                path + ": cannot be written (" + std::strerror(error) + "); free space or name another --output_dir");
}

StatusOr<MetricsFile> MetricsFile::create(const std::string &path) {
  MetricsFile metrics;
  metrics.path = path;
  metrics.file.reset(std::fopen(path.c_str(), "we"));
  if (!metrics.file)
    return failed(path);
  return metrics;
}

Status MetricsFile::append(const StepMetrics &metrics) {
  std::string line = metricsLine(metrics) + "\n";
  if (std::fwrite(line.data(), 1, line.size(), file.get()) != line.size() || std::fflush(file.get()) != 0)
    return failed(path);
  return {};
}

} // namespace zp::rt

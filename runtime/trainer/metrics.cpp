#include "runtime/trainer/metrics.h"

#include <cerrno>
#include <cinttypes>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "runtime/io/atomic_file.h"
#include "runtime/io/checkpoint.h"

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

/// The step of a line that metricsLine made; 0 for anything else.
static uint64_t stepOf(const std::string &text, size_t at) {
  constexpr std::string_view begin = "{\"step\": ";
  return text.compare(at, begin.size(), begin) == 0 ? std::strtoull(text.c_str() + at + begin.size(), nullptr, 10) : 0;
}

StatusOr<MetricsFile> MetricsFile::resume(const std::string &path, const std::string &earlier, uint64_t step) {
  StatusOr<std::string> text = readTextFile(earlier);
  std::string kept;
  if (text.ok()) {
    uint64_t last = 0;
    for (size_t at = 0, end; (end = text->find('\n', at)) != std::string::npos; at = end + 1)
      if (uint64_t of = stepOf(*text, at); of > last && of <= step) { // a torn line and one said twice are left out
        kept.append(*text, at, end + 1 - at);
        last = of;
      }
  }
  ZP_RETURN_IF_ERROR(writeFileAtomically(path, kept));
  MetricsFile metrics;
  metrics.path = path;
  metrics.file.reset(std::fopen(path.c_str(), "ae"));
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

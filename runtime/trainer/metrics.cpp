#include "runtime/trainer/metrics.h"

#include <cerrno>
#include <charconv>
#include <cinttypes>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>

#include "runtime/base/atomic_file.h"
#include "runtime/base/disk_error.h"
#include "runtime/base/text_file.h"
#include "runtime/io/model_weights.h"

namespace zp::rt {

/// Nothing when it isn't known.
static std::string accuracyMember(const char *name, double accuracy) {
  char member[96] = "";
  if (!std::isnan(accuracy))
    std::snprintf(member, sizeof member, ", \"%s\": %.17g", name, accuracy);
  return member;
}

/// JSON has no infinity.
static std::string numberText(double value) {
  char text[32] = "null";
  if (std::isfinite(value))
    std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

static std::string lossScaleMember(const StepMetrics &m) {
  return std::isnan(m.lossScale) ? "" : ", \"loss_scale\": " + numberText(m.lossScale) + ", \"skipped_steps\": " + std::to_string(m.skippedSteps);
}

std::string metricsLine(const StepMetrics &m) {
  char line[512];
  std::snprintf(line, sizeof line,
                "{\"step\": %" PRIu64 ", \"loss\": %s, \"grad_norm\": %s, \"learning_rate\": %.17g, \"num_tokens\": %" PRIu64
                ", \"epoch\": %.17g, \"step_seconds\": %.17g, \"tokens_per_second\": %.17g",
                m.step, numberText(m.loss).c_str(), numberText(m.gradNorm).c_str(), m.learningRate, m.numTokens, m.epoch, m.stepSeconds,
                m.tokensPerSecond);
  return line + accuracyMember("mean_token_accuracy", m.accuracy) + lossScaleMember(m) + "}";
}

double lossToLog(double loss, double sumSoFar, uint64_t updatesSoFar) {
  return std::isfinite(loss) ? loss : sumSoFar / (1 + static_cast<double>(updatesSoFar));
}

std::string evaluationLine(const EvaluationMetrics &m) {
  char line[640];
  std::snprintf(line, sizeof line,
                "{\"step\": %" PRIu64
                ", \"eval_loss\": %s, \"eval_loss_of_batches\": %s, \"eval_perplexity\": %s, \"epoch\": %.17g, \"eval_runtime\": %.17g"
                ", \"eval_samples_per_second\": %.17g, \"eval_steps_per_second\": %.17g, \"eval_num_tokens\": %" PRIu64,
                m.step, numberText(m.loss).c_str(), numberText(m.ofBatches.loss).c_str(), numberText(std::exp(m.loss)).c_str(), m.epoch, m.seconds,
                m.rowsPerSecond, m.roundsPerSecond, m.numTokens);
  return line + accuracyMember("eval_mean_token_accuracy", m.accuracy) + accuracyMember("eval_mean_token_accuracy_of_batches", m.ofBatches.accuracy) +
         "}";
}

static Status failed(const std::string &path) {
  const char *fix = "free space or name another --output_dir";
  return diskError(path, "written", errno, "a directory for a run's files", fix, fix);
}

StatusOr<MetricsFile> MetricsFile::create(const std::string &path) {
  MetricsFile metrics;
  metrics.path = path;
  metrics.file.reset(std::fopen(path.c_str(), "we"));
  if (!metrics.file)
    return failed(path);
  return metrics;
}

namespace {
struct Line {
  bool evaluation = false;
  uint64_t step = 0;
};
} // namespace

/// A line that metricsLine made.
static std::optional<Line> readLine(std::string_view text) {
  constexpr std::string_view begin = "{\"step\": ";
  if (!text.starts_with(begin))
    return {};
  Line line;
  auto [end, error] = std::from_chars(text.data() + begin.size(), text.data() + text.size(), line.step);
  if (error != std::errc())
    return {};
  line.evaluation = text.substr(static_cast<size_t>(end - text.data())).starts_with(", \"eval_");
  return line;
}

StatusOr<MetricsFile> MetricsFile::resume(const std::string &path, const std::string &earlier, uint64_t step) {
  StatusOr<std::string> text = readTextFile(earlier);
  std::string kept;
  if (text.ok()) {
    uint64_t next[2] = {1, 0}; // of updates and of evaluations: there may be one before the first update
    for (size_t at = 0, end; (end = text->find('\n', at)) != std::string::npos; at = end + 1) {
      std::optional<Line> line = readLine(std::string_view(*text).substr(at, end - at));
      if (!line || line->step < next[line->evaluation] || line->step > step) // a torn line and one said twice are left out
        continue;
      kept.append(*text, at, end + 1 - at);
      next[line->evaluation] = line->step + 1;
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

Status MetricsFile::appendLine(std::string line) {
  line += '\n';
  if (std::fwrite(line.data(), 1, line.size(), file.get()) != line.size() || std::fflush(file.get()) != 0)
    return failed(path);
  return {};
}

} // namespace zp::rt

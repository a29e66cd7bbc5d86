#include "runtime/plan/simulate/calibrate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <sstream>

#include "runtime/base/median.h"
#include "runtime/plan/plan_checker.h"

namespace zp::rt {
namespace {

// How much the prior counts beside a sample, in relative errors.
constexpr double kPriorWeight = 1e-3;
// Tensors of fewer bytes than this tell of the caches, not of memory.
constexpr double kStreamed = 1 << 20;

using Three = std::array<double, 3>;

/// The unknowns of `use` that make the quadratic form least, the others 0; nothing when they aren't determined. Gauss
/// elimination.
std::optional<Three> solve(std::array<Three, 3> matrix, Three right, unsigned use) {
  for (size_t i = 0; i < 3; ++i)
    if (!(use >> i & 1)) {
      for (size_t j = 0; j < 3; ++j)
        matrix[i][j] = matrix[j][i] = i == j;
      right[i] = 0;
    }
  for (size_t i = 0; i < 3; ++i) {
    if (std::abs(matrix[i][i]) < 1e-300)
      return std::nullopt;
    for (size_t k = i + 1; k < 3; ++k) {
      const double factor = matrix[k][i] / matrix[i][i];
      for (size_t j = i; j < 3; ++j)
        matrix[k][j] -= factor * matrix[i][j];
      right[k] -= factor * right[i];
    }
  }
  Three x{};
  for (size_t i = 3; i-- > 0;) {
    double sum = right[i];
    for (size_t j = i + 1; j < 3; ++j)
      sum -= matrix[i][j] * x[j];
    x[i] = sum / matrix[i][i];
  }
  return x;
}

/// Everything that ran, by what it tells of.
struct Samples {
  std::map<std::string, std::vector<RateSample>> kernels;
  std::vector<double> streaming;                  // bytes/s of kernels that compute nothing
  double best32 = 0, best16 = 0;                  // FLOP/s of products
  std::vector<std::array<double, 3>> collectives; // steps, bytes that a rank sends in all of them, seconds
  double hostBytes = 0, hostSeconds = 0, readBytes = 0, readSeconds = 0, writtenBytes = 0, writtenSeconds = 0;
};

void addCopy(const PlanIndex &index, const fbs::Instruction &instruction, double seconds, Samples &samples) {
  const auto bytes = static_cast<double>(bytesOf(index.tensor(instruction.operands()->Get(0))));
  const fbs::Tier from = index.bufferOf(instruction.operands()->Get(0)).tier(), to = index.bufferOf(instruction.operands()->Get(1)).tier();
  const bool read = from == fbs::Tier::Disk, written = to == fbs::Tier::Disk;
  (read ? samples.readBytes : written ? samples.writtenBytes : samples.hostBytes) += bytes;
  (read ? samples.readSeconds : written ? samples.writtenSeconds : samples.hostSeconds) += seconds;
}

void addKernel(const PlanIndex &index, const fbs::Instruction &instruction, double seconds, Samples &samples) {
  const Work work = workOf(index, instruction);
  const std::string kernel = kernelClassOf(index, instruction);
  samples.kernels[kernel].push_back({work, seconds});
  if (work.operations == 0 && work.bytes >= kStreamed)
    samples.streaming.push_back(work.bytes / seconds);
  if (double &best = kernel.ends_with("bf16") ? samples.best16 : samples.best32; instruction.op_type() == fbs::OpAttrs::Matmul)
    best = std::max(best, work.operations / seconds);
}

Samples samplesOf(const PlanIndex &index, const InstructionTimes &times) {
  Samples samples;
  const double ranks = index.plan.ranks();
  for (uint32_t e = 0; e < index.plan.entries()->size(); ++e)
    for (uint32_t i = 0; i < index.plan.entries()->Get(e)->instructions()->size(); ++i) {
      const fbs::Instruction &instruction = *index.plan.entries()->Get(e)->instructions()->Get(i);
      const double seconds = times.typical(e, i);
      if (seconds <= 0)
        continue;
      const OpExecutor executor = findSignature(instruction.op_type())->executor;
      if (executor == OpExecutor::Device)
        addKernel(index, instruction, seconds, samples);
      if (executor == OpExecutor::Stream && instruction.op_type() == fbs::OpAttrs::Copy)
        addCopy(index, instruction, seconds, samples);
      if (executor == OpExecutor::Engine && ranks > 1) {
        double whole = 0;
        for (uint32_t tensor : *instruction.operands())
          whole = std::max(whole, static_cast<double>(bytesOf(index.tensor(tensor))));
        const double steps = (instruction.op_type() == fbs::OpAttrs::AllReduce ? 2 : 1) * (ranks - 1);
        samples.collectives.push_back({steps, steps * whole / ranks, seconds});
      }
    }
  return samples;
}

} // namespace

InstructionTimes::InstructionTimes(const fbs::Plan &plan) {
  for (const fbs::Entry *entry : *plan.entries())
    runs.emplace_back(entry->instructions()->size());
}

double InstructionTimes::typical(uint32_t entry, uint32_t instruction) const { return median(runs[entry][instruction]); }

KernelRate fitRate(const std::vector<RateSample> &samples, const KernelRate &prior) {
  // In units of the prior: a part is 1 where it is as the prior has it. Each sample asks that its parts add up to 1 of its time.
  const Three unit = {prior.secondsPerCall, prior.secondsPerOperation, prior.secondsPerByte};
  std::array<Three, 3> matrix{};
  Three right{};
  const double scale = 1.0 / static_cast<double>(samples.size());
  for (const RateSample &sample : samples) {
    const Three parts = {unit[0] / sample.seconds, unit[1] * sample.work.operations / sample.seconds, unit[2] * sample.work.bytes / sample.seconds};
    for (size_t i = 0; i < 3; ++i) {
      right[i] += scale * parts[i];
      for (size_t j = 0; j < 3; ++j)
        matrix[i][j] += scale * parts[i] * parts[j];
    }
  }
  // How far off the prior is as a whole: parts that nothing tells apart move together.
  double sums = 0, squares = 0;
  for (const RateSample &sample : samples) {
    const double all = (unit[0] + unit[1] * sample.work.operations + unit[2] * sample.work.bytes) / sample.seconds;
    sums += all;
    squares += all * all;
  }
  const double factor = squares > 0 ? sums / squares : 1, weight = kPriorWeight / (factor * factor);
  for (size_t i = 0; i < 3; ++i) {
    matrix[i][i] += weight;
    right[i] += weight * factor;
  }
  Three best = {factor, factor, factor};
  double least = std::numeric_limits<double>::infinity();
  for (unsigned use = 1; use < 8; ++use) {
    std::optional<Three> x = solve(matrix, right, use);
    if (!x || *std::min_element(x->begin(), x->end()) < 0)
      continue;
    double form = 0; // the quadratic form up to its constant
    for (size_t i = 0; i < 3; ++i) {
      form -= 2 * right[i] * (*x)[i];
      for (size_t j = 0; j < 3; ++j)
        form += matrix[i][j] * (*x)[i] * (*x)[j];
    }
    if (form < least) {
      least = form;
      best = *x;
    }
  }
  return {best[0] * unit[0], best[1] * unit[1], best[2] * unit[2]};
}

Cluster calibrate(const PlanIndex &index, const InstructionTimes &times, int threads, const std::map<std::string, KernelRate> &known) {
  Cluster cluster = *clusterOf("cpu");
  const Samples samples = samplesOf(index, times);
  const double ranks = index.plan.ranks();
  cluster.devices_per_node = ranks;
  cluster.overlap = threads / (threads + 1.0); // the other streams' thread is one more on the rank's cores
  auto measured = [](double &value, double seen) { value = seen > 0 && std::isfinite(seen) ? seen : value; };
  measured(cluster.memory_bandwidth, median(samples.streaming));
  measured(cluster.flops_f32, samples.best32);
  measured(cluster.flops_bf16, samples.best16);
  measured(cluster.host_link_bandwidth, samples.hostBytes / samples.hostSeconds);
  cluster.host_bandwidth = ranks * cluster.host_link_bandwidth;
  measured(cluster.nvme_read_bandwidth, ranks * samples.readBytes / samples.readSeconds);
  measured(cluster.nvme_write_bandwidth, ranks * samples.writtenBytes / samples.writtenSeconds);
  if (!samples.collectives.empty()) {
    std::vector<RateSample> list; // a step is a call, what is sent are bytes
    for (auto [steps, bytes, seconds] : samples.collectives)
      list.push_back({{0, bytes / steps, 0}, seconds / steps});
    KernelRate rate = fitRate(list, {cluster.link_latency, 1e-12, 1 / cluster.link_bandwidth});
    cluster.link_latency = rate.secondsPerCall;
    measured(cluster.link_bandwidth, 1 / rate.secondsPerByte);
  }
  cluster.kernels = known;
  for (const auto &[kernel, list] : samples.kernels) {
    const double flops = kernel.ends_with("bf16") ? cluster.flops_bf16 : cluster.flops_f32;
    cluster.kernels[kernel] = fitRate(list, {cluster.launch_seconds, 1 / flops, 1 / cluster.memory_bandwidth});
  }
  return cluster;
}

std::map<std::string, KernelRate> kernelsOf(const std::string &yaml) {
  std::map<std::string, KernelRate> kernels;
  std::istringstream lines(yaml);
  for (std::string line; std::getline(lines, line);) {
    char name[80];
    KernelRate rate;
    int end = 0;
    if (line.starts_with("  ") &&
        std::sscanf(line.c_str(), "  %79[a-z0-9_.]: [%lf, %lf, %lf]%n", name, &rate.secondsPerCall, &rate.secondsPerOperation, &rate.secondsPerByte,
                    &end) == 4 &&
        static_cast<size_t>(end) == line.size())
      kernels[name] = rate;
  }
  return kernels;
}

} // namespace zp::rt

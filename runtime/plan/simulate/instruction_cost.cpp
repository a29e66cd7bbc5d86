#include "runtime/plan/simulate/instruction_cost.h"

#include <algorithm>

#include "runtime/plan/plan_checker.h"
#include "runtime/plan/report/operations.h"

namespace zp::rt {
namespace {

constexpr int64_t kThin = 64;
// The loss writes a chunk's logits, reads them for the softmax, and with gradients reads what became of them once more a product.
constexpr double kLogitPasses = 2;

double bytesAt(const PlanIndex &index, const fbs::Instruction &instruction, uint32_t operand) {
  const uint32_t tensor = instruction.operands()->Get(operand);
  return tensor == kAbsent ? 0.0 : static_cast<double>(bytesOf(index.tensor(tensor)));
}

/// Of the first operand that holds floats, which the op table lists first where it matters; f32 where none does.
DType precisionOf(const PlanIndex &index, const fbs::Instruction &instruction) {
  for (uint32_t tensor : *instruction.operands())
    if (tensor != kAbsent && isFloatType(dtypeOf(index.tensor(tensor))))
      return dtypeOf(index.tensor(tensor));
  return DType::F32;
}

/// Every operand as often as it is touched, without scratch and dequantised weights, which `decodedBytes` counts.
double touchedBytes(const PlanIndex &index, const fbs::Instruction &instruction) {
  const OpSignature &op = *findSignature(instruction.op_type());
  double bytes = 0;
  for (uint32_t i = 0; i < op.operands.size(); ++i) {
    const Access access = accessOf(instruction, op, i);
    if (const std::string_view name = op.operands[i].name; name != "workspace" && name != "floats")
      bytes += bytesAt(index, instruction, i) * (access.reads + access.writes);
  }
  return bytes;
}

bool worksInHostMemory(const PlanIndex &index, const fbs::Instruction &instruction) {
  return std::any_of(instruction.operands()->begin(), instruction.operands()->end(),
                     [&](uint32_t tensor) { return tensor != kAbsent && index.bufferOf(tensor).tier() != fbs::Tier::Device; });
}

/// Ranks of a CPU divide its cores: where fewer of them share a node than the machine was measured with, each has more.
double shareOfCores(const Cluster &cluster, uint32_t ranks) {
  return cluster.target == "cpu" && cluster.devices_per_node > 0 ? cluster.ranksOfNode(ranks) / cluster.devices_per_node : 1;
}

/// A CPU multiplies f16 in f32.
double flopsOf(const Cluster &cluster, DType precision) {
  return bitsOf(precision) == 16 && !(precision == DType::F16 && cluster.target == "cpu") ? cluster.flops_bf16 : cluster.flops_f32;
}

Cost kernelCost(const Cluster &cluster, const PlanIndex &index, const fbs::Instruction &instruction) {
  const Work work = workOf(index, instruction);
  const double share = shareOfCores(cluster, index.plan.ranks());
  if (auto measured = cluster.kernels.find(kernelClassOf(index, instruction)); measured != cluster.kernels.end()) {
    const KernelRate &rate = measured->second;
    const double arithmetic = share * rate.secondsPerOperation * work.operations, memory = share * rate.secondsPerByte * work.bytes;
    const Resource resource = arithmetic >= memory ? Resource::Arithmetic : Resource::Memory;
    return {rate.secondsPerCall + arithmetic + memory, rate.secondsPerCall > arithmetic + memory ? Resource::Launch : resource};
  }
  if (cluster.target != "cpu" && worksInHostMemory(index, instruction))
    return {work.bytes / (cluster.host_bandwidth / cluster.ranksOfNode(index.plan.ranks())), Resource::Host};
  const double rate = flopsOf(cluster, precisionOf(index, instruction));
  const double arithmetic = share * work.operations / rate, memory = share * work.bytes / cluster.memory_bandwidth;
  const double decoding = cluster.target == "cpu" ? 0 : work.decodedBytes / cluster.memory_bandwidth;
  const double busy = std::max(arithmetic, memory) + decoding;
  const Resource resource = arithmetic >= memory + decoding ? Resource::Arithmetic : Resource::Memory;
  return {cluster.launch_seconds + busy, cluster.launch_seconds > busy ? Resource::Launch : resource};
}

Cost collectiveCost(const Cluster &cluster, const PlanIndex &index, const fbs::Instruction &instruction) {
  const uint32_t ranks = index.plan.ranks();
  double whole = 0;
  for (uint32_t i = 0; i < instruction.operands()->size(); ++i)
    whole = std::max(whole, bytesAt(index, instruction, i));
  if (ranks == 1) // the shard is the whole: moved, or there already
    return {instruction.op_type() == fbs::OpAttrs::AllReduce ? 0 : 2 * whole / cluster.memory_bandwidth, Resource::Memory};
  const bool nodes = cluster.nodesFor(ranks) > 1;
  if (cluster.target == "cpu" && !nodes && index.isInPlace(instruction))
    return {0, Resource::Memory};
  const double latency = nodes ? std::max(cluster.link_latency, cluster.network_latency) : cluster.link_latency;
  const double bandwidth = nodes ? std::min(cluster.link_bandwidth, cluster.network_bandwidth) : cluster.link_bandwidth;
  const double rounds = instruction.op_type() == fbs::OpAttrs::AllReduce ? 2 : 1, steps = ranks - 1.0;
  return {rounds * steps * (latency + whole / ranks / bandwidth), nodes ? Resource::Network : Resource::Link};
}

Cost copyCost(const Cluster &cluster, const PlanIndex &index, const fbs::Instruction &instruction) {
  if (cluster.target == "cpu" && index.isInPlace(instruction))
    return {0, Resource::Memory};
  const double bytes = bytesAt(index, instruction, 0), here = cluster.ranksOfNode(index.plan.ranks());
  const fbs::Tier from = index.bufferOf(instruction.operands()->Get(0)).tier(), to = index.bufferOf(instruction.operands()->Get(1)).tier();
  double disk = 0;
  if (from == fbs::Tier::Disk)
    disk += bytes / (cluster.nvme_read_bandwidth / here);
  if (to == fbs::Tier::Disk)
    disk += bytes / (cluster.nvme_write_bandwidth / here);
  if (from == fbs::Tier::Device && to == fbs::Tier::Device)
    return {cluster.launch_seconds + 2 * bytes / cluster.memory_bandwidth, Resource::Memory};
  const bool link = from == fbs::Tier::Device || to == fbs::Tier::Device;
  const double shared = 2 * bytes / (cluster.host_bandwidth / here);
  const double memory =
      cluster.launch_seconds + (link ? std::max(bytes / cluster.host_link_bandwidth, bytes / (cluster.host_bandwidth / here)) : shared);
  return disk > memory ? Cost{disk, Resource::Disk} : Cost{memory, Resource::HostLink};
}

} // namespace

const char *nameOf(Resource resource) {
  static const char *const names[] = {"arithmetic", "device memory", "launches", "host memory", "host link", "link", "network", "disk"};
  return names[static_cast<size_t>(resource)];
}

Work workOf(const PlanIndex &index, const fbs::Instruction &instruction) {
  Work work{operationsOf(index, instruction), touchedBytes(index, instruction), 0};
  switch (instruction.op_type()) {
  case fbs::OpAttrs::Embedding: // looks up rows as large as the target
    work.bytes += bytesAt(index, instruction, 2) - bytesAt(index, instruction, 0);
    break;
  case fbs::OpAttrs::EmbeddingGradient: // adds to them
    work.bytes += 2 * bytesAt(index, instruction, 1) - 2 * bytesAt(index, instruction, 2);
    break;
  case fbs::OpAttrs::CopyRows:
    work.bytes += bytesAt(index, instruction, 2) - bytesAt(index, instruction, 0);
    break;
  case fbs::OpAttrs::LinearCrossEntropy: {
    const double products = work.operations / 2, width = static_cast<double>(index.tensor(instruction.operands()->Get(0)).dims()->Get(1));
    work.bytes += kLogitPasses * products / width * static_cast<double>(bitsOf(precisionOf(index, instruction))) / 8;
    break;
  }
  case fbs::OpAttrs::NF4Matmul: {
    const auto &op = *instruction.op_as_NF4Matmul();
    work.decodedBytes = bytesAt(index, instruction, 1) + static_cast<double>(op.rows()) * static_cast<double>(op.columns()) *
                                                             static_cast<double>(bitsOf(precisionOf(index, instruction))) / 8;
    break;
  }
  default:
    break;
  }
  return work;
}

std::string kernelClassOf(const PlanIndex &index, const fbs::Instruction &instruction) {
  std::string name = findSignature(instruction.op_type())->name;
  if (const auto *op = instruction.op_as_Matmul()) {
    const auto &operands = *instruction.operands(); // the target is the last
    const fbs::Tensor &a = index.tensor(operands.Get(0)), &target = index.tensor(operands.Get(operands.size() - 1));
    const int64_t inner = a.dims()->Get(op->transpose_a() ? 0 : 1);
    if (std::min({inner, target.dims()->Get(0), target.dims()->Get(1)}) <= kThin)
      name += "_thin";
  }
  return name + "." + textOf(precisionOf(index, instruction));
}

Cost costOf(const Cluster &cluster, const PlanIndex &index, const fbs::Instruction &instruction) {
  switch (findSignature(instruction.op_type())->executor) {
  case OpExecutor::Device:
    return kernelCost(cluster, index, instruction);
  case OpExecutor::Engine:
    return collectiveCost(cluster, index, instruction);
  case OpExecutor::Stream:
    return instruction.op_type() == fbs::OpAttrs::Copy ? copyCost(cluster, index, instruction) : Cost{};
  case OpExecutor::Loader:
    break;
  }
  return {};
}

} // namespace zp::rt

// What an instruction takes by itself: seconds, from the shapes of its operands and the rates of a machine.
//
// Kernels go by the roofline: a launch, and the longer of arithmetic and memory traffic. A machine that was measured has a
// line of its own a kernel instead, whose parts add up. Collectives go by latency and bandwidth of a ring: of n ranks each sends
// n-1 of n parts to its neighbour in n-1 steps, twice when they all get the sum; between nodes the slower link sets the pace.
// What ranks of a CPU node find in their memory (plan/read_in_place.h) takes no time.
// Copies go by the slowest memory or link that they cross. What the host shares, ranks of a node share equally.
#ifndef ZP_RUNTIME_PLAN_SIMULATE_INSTRUCTION_COST_H
#define ZP_RUNTIME_PLAN_SIMULATE_INSTRUCTION_COST_H

#include "runtime/plan/report/plan_index.h"
#include "runtime/plan/simulate/cluster.h"

namespace zp::rt {

/// What an instruction spends its time on. Those from HostLink on move data: time that they take alone is exposed.
enum class Resource : uint8_t { Arithmetic, Memory, Launch, Host, HostLink, Link, Network, Disk };
inline constexpr size_t kResources = 8;
constexpr bool isTransfer(Resource resource) { return resource >= Resource::HostLink; }
const char *nameOf(Resource resource);

/// Of a kernel. Bytes: operands as often as they are read or written, scratch left out, what an op looks up counted by what it
/// finds. `decodedBytes`: what a product on 4-bit weights writes before it multiplies, on a device that decodes into memory.
struct Work {
  double operations = 0;
  double bytes = 0, decodedBytes = 0;
};
Work workOf(const PlanIndex &index, const fbs::Instruction &instruction);

/// The kernel and its precision, "matmul.bf16"; products with a side of 64 at most, as adapters have, are "matmul_thin.bf16".
std::string kernelClassOf(const PlanIndex &index, const fbs::Instruction &instruction);

struct Cost {
  double seconds = 0;
  Resource resource = Resource::Launch;
};
/// Events and what `init` loads cost nothing here. Requires a plan that passed its proofs.
Cost costOf(const Cluster &cluster, const PlanIndex &index, const fbs::Instruction &instruction);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_SIMULATE_INSTRUCTION_COST_H

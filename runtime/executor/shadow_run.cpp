#include "runtime/executor/shadow_run.h"

#include <atomic>
#include <csignal>
#include <set>
#include <unistd.h>

#include "runtime/plan/op_signatures.h"

namespace zp::rt {

ShadowLives::ShadowLives(const fbs::Plan &plan, const fbs::Entry &entry)
    : used(entry.instructions()->size()), uses(plan.buffers()->size()), left(plan.buffers()->size()) {
  auto bufferOf = [&](uint32_t tensor) { return plan.tensors()->Get(tensor)->buffer(); };
  std::set<uint32_t> inputs, outputs, seen;
  for (const fbs::NamedTensor *input : *entry.inputs())
    inputs.insert(bufferOf(input->tensor()));
  for (const fbs::NamedTensor *output : *entry.outputs())
    outputs.insert(bufferOf(output->tensor()));
  for (uint32_t i = 0; i < entry.instructions()->size(); ++i) {
    std::set<uint32_t> here;
    if (const auto *operands = entry.instructions()->Get(i)->operands())
      for (uint32_t tensor : *operands)
        if (tensor != kAbsent && !plan.buffers()->Get(bufferOf(tensor))->persistent())
          here.insert(bufferOf(tensor));
    for (uint32_t buffer : here) {
      if (seen.insert(buffer).second && !inputs.count(buffer))
        atStart.push_back(buffer);
      if (outputs.count(buffer))
        continue;
      used[i].push_back(buffer);
      ++uses[buffer];
    }
  }
}

void ShadowLives::begin(PlanMemory &memory) {
  for (uint32_t buffer : atStart)
    memory.poison(buffer);
  for (size_t buffer = 0; buffer < uses.size(); ++buffer)
    left[buffer].store(uses[buffer], std::memory_order_relaxed);
}

void ShadowLives::end(uint32_t index, PlanMemory &memory) {
  for (uint32_t buffer : used[index])
    if (left[buffer].fetch_sub(1) == 1)
      memory.poison(buffer);
}

static std::atomic<const PlanMemory *> watched{nullptr};
static std::atomic<const std::string *> currentPlace{nullptr};
static struct sigaction previous;

/// The process is lost; what is left to do is to say where.
static void onFault(int signal, siginfo_t *info, void *) {
  const PlanMemory *memory = watched.exchange(nullptr);
  const std::string *place = currentPlace.load();
  if (memory && place) {
    std::string where = memory->locate(info->si_addr);
    std::string text = "error[ZP9001] " + *place + ": touches " + (where.empty() ? std::string("memory that is no buffer's") : where) +
                       ", expected its operands alone; this is a bug of the kernel or of the plan\n";
    (void)!::write(STDERR_FILENO, text.data(), text.size());
  }
  ::sigaction(signal, &previous, nullptr); // the access is tried again and ends the process
}

FaultReport::FaultReport(const PlanMemory &memory) {
  watched = &memory;
  struct sigaction action {};
  action.sa_sigaction = onFault;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGSEGV, &action, &previous);
}

FaultReport::~FaultReport() {
  watched = nullptr;
  currentPlace = nullptr;
  ::sigaction(SIGSEGV, &previous, nullptr);
}

void FaultReport::entering(const std::string *place) { currentPlace = place; }

} // namespace zp::rt

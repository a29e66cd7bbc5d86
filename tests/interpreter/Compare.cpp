#include "tests/interpreter/Compare.h"

#include "llvm/Support/Format.h"

#include <cmath>
#include <limits>

namespace zp::interpreter {

// Norms below this are rounding noise of values near one.
static constexpr double kNoise = 1e-6;

double relativeDifference(const Tensor &a, const Tensor &b) {
  if (a.data.size() != b.data.size())
    return std::numeric_limits<double>::infinity();
  double difference = 0, size = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += a[i] * a[i];
  }
  double result = std::sqrt(difference) / std::max(std::sqrt(size), kNoise);
  return std::isfinite(result) ? result : std::numeric_limits<double>::infinity();
}

static bool knows(Machine &machine, const TraceEntry &entry) {
  if (!entry.parameter.empty()) {
    auto it = machine.layout.parameters.find(entry.parameter);
    if (it == machine.layout.parameters.end() || !it->second.trainable)
      return false;
  }
  if (entry.needs == kNeedsGradients)
    return machine.differentiates();
  return static_cast<bool>(machine.program(*nn::symbolizeProgramKind(entry.needs)));
}

static const TraceEntry *find(const Trace &trace, const std::string &label) {
  for (const TraceEntry &entry : trace)
    if (entry.label == label)
      return &entry;
  return nullptr;
}

// An entry of `from` that `to` should have and hasn't.
static const TraceEntry *missing(const Trace &from, Machine &toMachine, const Trace &to) {
  for (const TraceEntry &entry : from)
    if (knows(toMachine, entry) && !find(to, entry.label))
      return &entry;
  return nullptr;
}

bool compareTraces(Machine &before, const Trace &beforeTrace, Machine &after, const Trace &afterTrace, double tolerance, llvm::raw_ostream &out) {
  if (const TraceEntry *entry = missing(beforeTrace, after, afterTrace))
    return out << "different: \"" << entry->label << "\" is in the first module only\n", false;
  if (const TraceEntry *entry = missing(afterTrace, before, beforeTrace))
    return out << "different: \"" << entry->label << "\" is in the second module only\n", false;
  size_t compared = 0;
  double worst = 0, size = 0;
  std::string where;
  for (const TraceEntry &entry : beforeTrace) {
    const TraceEntry *other = find(afterTrace, entry.label);
    if (!other)
      continue;
    ++compared;
    double difference = relativeDifference(entry.value, other->value);
    for (double value : entry.value.data)
      size += std::abs(value);
    if (difference >= worst) {
      worst = difference;
      where = entry.label;
    }
  }
  if (compared == 0 || size == 0)
    return out << "different: " << compared << " tensors in common, all zero: the comparison says nothing\n", false;
  bool equal = worst <= tolerance;
  out << (equal ? "equal: " : "different: ") << compared << " tensors, worst " << llvm::format("%.3g", worst) << " (" << where << ")\n";
  return equal;
}

} // namespace zp::interpreter

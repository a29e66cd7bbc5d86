// Finite differences: the accumulated gradients against the loss itself.
#include "tests/interpreter/Compare.h"

#include "llvm/Support/Format.h"

#include <algorithm>
#include <cmath>

using namespace mlir;

namespace zp::interpreter {

static constexpr int kDirections = 2;
static constexpr double kVanishing = 1e-9;
// Five points, so the error is of fourth order; a smaller step where the loss is strongly curved. A wrong gradient fits none.
static constexpr double kSteps[] = {2e-3, 3e-4, 4e-5};

// The slope of the loss along `direction` of one parameter, by the five-point rule, from the state `start`.
static FailureOr<double> measure(Machine &machine, const JobShape &shape, const Batches &batches, const std::vector<RankState> &start,
                                 const std::string &name, const Tensor &direction, double h) {
  double result = 0;
  const std::pair<int, double> points[] = {{-2, 1}, {-1, -8}, {1, 8}, {2, -1}};
  for (auto [step, weight] : points) {
    machine.states = start;
    moveParameter(machine.layout, machine.states, name, direction, step * h);
    FailureOr<double> loss = runLoss(machine, shape, batches);
    if (failed(loss))
      return failure();
    result += weight * *loss / (12 * h);
  }
  return result;
}

LogicalResult checkGradients(Machine &machine, const JobShape &shape, const Batches &batches, double tolerance, llvm::raw_ostream &out) {
  if (failed(runInit(machine)))
    return failure();
  const std::vector<RankState> start = machine.states;
  if (failed(runLoss(machine, shape, batches)))
    return failure();
  std::map<std::string, Tensor> gradients;
  for (auto &[name, info] : machine.layout.parameters)
    if (info.trainable)
      gradients[name] = wholeParameter(machine.layout, machine.states, name, Part::Gradient);

  double worst = 0;
  std::string where;
  for (auto &[name, gradient] : gradients) {
    for (int k = 0; k < kDirections; ++k) {
      Random random(batches.seed, "direction " + std::to_string(k) + " " + name);
      Tensor direction(gradient.shape);
      double stated = 0, squares = 0;
      for (int64_t i = 0; i < direction.size(); ++i) {
        direction[i] = random.normal() / std::sqrt(static_cast<double>(direction.size()));
        stated += direction[i] * gradient[i];
        squares += gradient[i] * gradient[i];
      }
      double error = std::numeric_limits<double>::infinity(), scale = 0;
      for (double h : kSteps) {
        FailureOr<double> measured = measure(machine, shape, batches, start, name, direction, h);
        if (failed(measured))
          return failure();
        // A direction is about at right angles to the gradient: the slope to expect is |gradient| / sqrt(n).
        scale = std::max(std::abs(*measured), std::sqrt(squares / static_cast<double>(gradient.size())));
        if (scale > kVanishing)
          error = std::min(error, std::abs(stated - *measured) / scale);
        if (error < tolerance / 10)
          break;
      }
      if (!(error < worst)) {
        worst = error;
        where = name;
      }
      if (!(scale > kVanishing))
        out << "@" << name << ": gradient and slope vanish, nothing can be said\n";
    }
  }
  bool good = !gradients.empty() && worst <= tolerance;
  out << (good ? "gradients agree: " : "gradients differ: ") << gradients.size() << " parameters, worst " << llvm::format("%.3g", worst)
      << (where.empty() ? "" : " (@" + where + ")") << "\n";
  return success(good);
}

} // namespace zp::interpreter

// What a simulated rank keeps from step to step, and what the module declares about it. Knows no MLIR.
#ifndef ZP_TESTS_INTERPRETER_STATE_H
#define ZP_TESTS_INTERPRETER_STATE_H

#include "runtime/schema/quant_records.h"
#include "tests/interpreter/Tensor.h"

#include <map>
#include <string>

namespace zp::interpreter {

struct ParameterInfo {
  std::vector<int64_t> shape;
  bool trainable = false, decayed = false, startsZero = false;
};
struct SlotInfo {
  std::string parameter;
  int64_t offset = 0;
};
struct SectionInfo {
  int64_t elements = 0, ranks = 1, decayEnd = 0;
  bool trainable = false, valuesSharded = false, gradientSharded = false, optimizerSharded = false;
  std::vector<SlotInfo> slots;
  int64_t stored(bool sharded) const { return sharded ? elements / ranks : elements; }
};
/// The declarations of a module.
struct Layout {
  std::map<std::string, ParameterInfo> parameters;
  std::map<std::string, SectionInfo> sections;
  std::map<std::string, std::vector<int64_t>> states;
  bool gradientsInSections = false; // else they are still each parameter's own
  /// The section with a parameter's slot (null: the parameter lives by itself) and the offset there.
  const SectionInfo *sectionOf(const std::string &parameter, std::string &name, int64_t &offset) const;
};

struct ParameterState {
  Tensor value, gradient, moment1, moment2;
};
struct SectionState {
  Tensor values, master, moment1, moment2, gradient;
};
struct RankState {
  std::map<std::string, ParameterState> parameters;
  std::map<std::string, SectionState> sections;
  std::map<std::string, Tensor> states;
};

/// First values of parameters: random numbers that depend on seed and name alone, so that a parameter starts alike whether
/// it lives by itself or in a section.
struct InitialValues {
  uint64_t seed = 0;
  bool keepZero = false; // parameters with initial "zero" start at zero; by default random, or their siblings get no gradient
  std::map<std::string, std::vector<double>> given; // by name, instead of random ones
  // Parameters that start from numbers which these formats hold: what one of two compared modules keeps in 4 bits, both do.
  std::map<std::string, QuantRecords> quantised;
  Tensor of(const std::string &name, const ParameterInfo &info) const;
};

/// Deterministic pseudo-random numbers keyed by text.
class Random {
public:
  Random(uint64_t seed, const std::string &key);
  uint64_t bits();
  double uniform(); // [0, 1)
  double normal();
  int64_t below(int64_t limit); // [0, limit)

private:
  uint64_t state;
};

/// The states of all ranks, with every section poisoned (NaN) when `poisoned`, else loaded.
std::vector<RankState> initialStates(const Layout &layout, int64_t ranks, const InitialValues &initial, bool poisoned);
/// What zero.load does on rank `rank`.
void loadSection(const Layout &layout, const std::string &name, int64_t rank, const InitialValues &initial, SectionState &state);

enum class Part { Value, Gradient };
/// A parameter's values (masters, where there are) or gradient as the ranks hold it together. A gradient that isn't sharded is
/// each rank's own sum until the update reduces it: the sum over ranks is meant. Replicas of values must agree: `agree`.
Tensor wholeParameter(const Layout &layout, const std::vector<RankState> &ranks, const std::string &name, Part part, bool *agree = nullptr);
/// Adds step·direction to a parameter, masters and values, on every rank.
void moveParameter(const Layout &layout, std::vector<RankState> &ranks, const std::string &name, const Tensor &direction, double step);

} // namespace zp::interpreter

#endif // ZP_TESTS_INTERPRETER_STATE_H

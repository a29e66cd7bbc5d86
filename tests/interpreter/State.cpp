#include "tests/interpreter/State.h"

#include "tests/interpreter/OpMath.h"

#include <cmath>
#include <limits>

namespace zp::interpreter {

Random::Random(uint64_t seed, const std::string &key) : state(seed * 0x9E3779B97F4A7C15u + 0xcbf29ce484222325u) {
  for (unsigned char c : key)
    state = (state ^ c) * 0x100000001b3u; // FNV-1a
}
uint64_t Random::bits() { // SplitMix64
  uint64_t z = (state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}
double Random::uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
double Random::normal() { // Box and Muller
  double u = 1 - uniform(), v = uniform();
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * M_PI * v);
}
int64_t Random::below(int64_t limit) { return static_cast<int64_t>(bits() % static_cast<uint64_t>(limit)); }

static Tensor firstValues(const InitialValues &initial, const std::string &name, const ParameterInfo &info) {
  Tensor result(info.shape);
  if (auto it = initial.given.find(name); it != initial.given.end()) {
    result.data = it->second;
    return result;
  }
  if (info.startsZero && initial.keepZero)
    return result;
  // Vectors are mostly norms (near one); a matrix keeps its input's size, with room for attention to be peaked.
  Random random(initial.seed, name);
  bool vector = info.shape.size() < 2;
  double deviation = vector ? 0.2 : 1.2 / std::sqrt(static_cast<double>(info.shape.back()));
  if (info.startsZero) // small, as a little trained adapter would be: scaling is often large
    deviation *= 0.2;
  for (double &value : result.data)
    value = (vector && !info.startsZero ? 1 : 0) + deviation * random.normal();
  return result;
}

Tensor InitialValues::of(const std::string &name, const ParameterInfo &info) const {
  Tensor result = firstValues(*this, name, info);
  auto format = quantised.find(name);
  return format == quantised.end() ? result : quantize(result, format->second);
}

const SectionInfo *Layout::sectionOf(const std::string &parameter, std::string &name, int64_t &offset) const {
  for (const auto &[sectionName, section] : sections)
    for (const SlotInfo &slot : section.slots)
      if (slot.parameter == parameter) {
        name = sectionName;
        offset = slot.offset;
        return &section;
      }
  return nullptr;
}

void loadSection(const Layout &layout, const std::string &name, int64_t rank, const InitialValues &initial, SectionState &state) {
  const SectionInfo &section = layout.sections.at(name);
  Tensor whole({section.elements});
  for (const SlotInfo &slot : section.slots) {
    Tensor value = initial.of(slot.parameter, layout.parameters.at(slot.parameter));
    for (int64_t i = 0; i < value.size(); ++i)
      whole[slot.offset + i] = value[i];
  }
  auto mine = [&](bool sharded) {
    int64_t length = section.stored(sharded), first = sharded ? rank * length : 0;
    Tensor part({length});
    for (int64_t i = 0; i < length; ++i)
      part[i] = whole[first + i];
    return part;
  };
  state.values = mine(section.valuesSharded);
  if (section.trainable) {
    state.master = mine(section.optimizerSharded);
    state.moment1 = state.moment2 = Tensor(state.master.shape);
    state.gradient = Tensor({section.stored(section.gradientSharded)});
  }
}

static void poison(Tensor &tensor) {
  for (double &value : tensor.data)
    value = std::numeric_limits<double>::quiet_NaN();
}

std::vector<RankState> initialStates(const Layout &layout, int64_t ranks, const InitialValues &initial, bool poisoned) {
  std::vector<RankState> states(static_cast<size_t>(ranks));
  for (int64_t rank = 0; rank < ranks; ++rank) {
    RankState &state = states[static_cast<size_t>(rank)];
    for (const auto &[name, info] : layout.parameters) {
      Tensor zero(info.shape);
      state.parameters[name] = {initial.of(name, info), zero, zero, zero};
    }
    for (const auto &[name, shape] : layout.states)
      state.states[name] = Tensor(shape);
    for (const auto &[name, info] : layout.sections) {
      SectionState &section = state.sections[name];
      loadSection(layout, name, rank, initial, section);
      if (poisoned)
        for (Tensor *tensor : {&section.values, &section.master, &section.moment1, &section.moment2, &section.gradient})
          poison(*tensor);
    }
  }
  return states;
}

// Where section element i of rank's stored `tensor` is; null when it is another rank's.
static double *elementOf(Tensor &tensor, const SectionInfo &section, bool sharded, int64_t rank, int64_t i) {
  int64_t length = section.stored(sharded), first = sharded ? rank * length : 0;
  return i >= first && i < first + length ? &tensor[i - first] : nullptr;
}

Tensor wholeParameter(const Layout &layout, const std::vector<RankState> &ranks, const std::string &name, Part part, bool *agree) {
  std::string sectionName;
  int64_t offset = 0;
  const SectionInfo *section = layout.sectionOf(name, sectionName, offset);
  if (part == Part::Gradient && !layout.gradientsInSections)
    section = nullptr;
  Tensor result(layout.parameters.at(name).shape);
  if (!section) {
    for (const RankState &state : ranks) {
      const ParameterState &parameter = state.parameters.at(name);
      if (part == Part::Value)
        return parameter.value;
      for (int64_t i = 0; i < result.size(); ++i)
        result[i] += parameter.gradient[i];
    }
    return result;
  }
  bool sharded = part == Part::Gradient ? section->gradientSharded : section->trainable ? section->optimizerSharded : section->valuesSharded;
  for (size_t rank = 0; rank < ranks.size(); ++rank) {
    SectionState state = ranks[rank].sections.at(sectionName);
    Tensor &from = part == Part::Gradient ? state.gradient : section->trainable ? state.master : state.values;
    for (int64_t i = 0; i < result.size(); ++i) {
      const double *element = elementOf(from, *section, sharded, static_cast<int64_t>(rank), offset + i);
      if (!element)
        continue;
      if (part == Part::Gradient)
        result[i] += *element;
      else if (rank == 0 || sharded)
        result[i] = *element;
      else if (agree && std::abs(result[i] - *element) > 1e-12 * (1 + std::abs(result[i])))
        *agree = false;
    }
    // The values that programs read are the masters, as no rounding is interpreted.
    for (int64_t i = 0; agree && part == Part::Value && section->trainable && i < result.size(); ++i) {
      const double *master = elementOf(state.master, *section, section->optimizerSharded, static_cast<int64_t>(rank), offset + i);
      const double *value = elementOf(state.values, *section, section->valuesSharded, static_cast<int64_t>(rank), offset + i);
      if (master && value && !(*master == *value))
        *agree = false;
    }
  }
  return result;
}

void moveParameter(const Layout &layout, std::vector<RankState> &ranks, const std::string &name, const Tensor &direction, double step) {
  std::string sectionName;
  int64_t offset = 0;
  const SectionInfo *section = layout.sectionOf(name, sectionName, offset);
  for (size_t rank = 0; rank < ranks.size(); ++rank)
    for (int64_t i = 0; i < direction.size(); ++i) {
      if (!section) {
        ranks[rank].parameters[name].value[i] += step * direction[i];
        continue;
      }
      SectionState &state = ranks[rank].sections[sectionName];
      int64_t r = static_cast<int64_t>(rank);
      if (double *value = elementOf(state.values, *section, section->valuesSharded, r, offset + i))
        *value += step * direction[i];
      if (section->trainable)
        if (double *master = elementOf(state.master, *section, section->optimizerSharded, r, offset + i))
          *master += step * direction[i];
    }
}

} // namespace zp::interpreter

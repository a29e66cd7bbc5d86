// Which modules a ModuleChoice means, by PEFT's rules.
#ifndef ZP_FRONTENDS_HUGGINGFACE_MODULEMATCHER_H
#define ZP_FRONTENDS_HUGGINGFACE_MODULEMATCHER_H

#include <string>
#include <vector>

#include "frontends/huggingface/LoraSettings.h"
#include "runtime/base/name_pattern.h"

namespace zp::fe {

/// `name` is `entry` or ends in `.entry`.
bool matchesSuffix(const std::string &name, const std::string &entry);

/// Decides for one module at a time what a LoraSettings does with it.
class ModuleMatcher {
public:
  enum class Verdict { Targeted, Excluded, Unmatched };

  static StatusOr<ModuleMatcher> create(const LoraSettings &lora);
  Verdict judge(const std::string &module) const;
  int64_t rankOf(const std::string &module) const;
  double alphaOf(const std::string &module) const;
  /// The same with the patterns tried in the order in which a saved file has them.
  int64_t savedRankOf(const std::string &module) const;
  double savedAlphaOf(const std::string &module) const;

private:
  bool inLayers(const std::string &module) const;
  template <typename T>
  static StatusOr<std::vector<std::pair<NamePattern, T>>> compilePatterns(const std::string &place, PatternMap<T> patterns, bool sorted);

  LoraSettings lora;
  std::vector<NamePattern> target, excluded; // one or none
  std::vector<NamePattern> saved, layers;
  std::vector<std::pair<NamePattern, int64_t>> ranks, savedRanks;
  std::vector<std::pair<NamePattern, WrittenNumber>> alphas, savedAlphas;
};

} // namespace zp::fe

#endif // ZP_FRONTENDS_HUGGINGFACE_MODULEMATCHER_H

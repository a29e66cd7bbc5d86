#include "frontends/huggingface/ModuleMatcher.h"

#include <algorithm>

namespace zp::fe {

bool matchesSuffix(const std::string &name, const std::string &entry) {
  return name == entry || (name.size() > entry.size() && name.ends_with(entry) && name[name.size() - entry.size() - 1] == '.');
}

template <typename T>
StatusOr<std::vector<std::pair<NamePattern, T>>> ModuleMatcher::compilePatterns(const std::string &place, PatternMap<T> patterns, bool sorted) {
  if (sorted)
    std::stable_sort(patterns.begin(), patterns.end(), [](const auto &a, const auto &b) { return a.first < b.first; });
  std::vector<std::pair<NamePattern, T>> compiled;
  for (const auto &[key, value] : patterns) {
    ZP_ASSIGN_OR_RETURN(NamePattern pattern, NamePattern::compile(place, "(?:.*\\.)?(?:" + key + ")$"));
    compiled.emplace_back(std::move(pattern), value);
  }
  return compiled;
}

StatusOr<ModuleMatcher> ModuleMatcher::create(const LoraSettings &lora) {
  ModuleMatcher matcher;
  matcher.lora = lora;
  auto compileChoice = [&](const ModuleChoice &choice, const char *key, std::vector<NamePattern> &into) -> Status {
    if (choice.kind != ModuleChoice::Kind::Regex)
      return Status();
    ZP_ASSIGN_OR_RETURN(NamePattern pattern, NamePattern::compile(lora.placeOf(key), choice.regex));
    into.push_back(std::move(pattern));
    return Status();
  };
  ZP_RETURN_IF_ERROR(compileChoice(lora.targets, "target_modules", matcher.target));
  ZP_RETURN_IF_ERROR(compileChoice(lora.excluded, "exclude_modules", matcher.excluded));
  if (lora.modulesToSave)
    for (const std::string &name : *lora.modulesToSave) {
      ZP_ASSIGN_OR_RETURN(NamePattern pattern, NamePattern::compile(lora.placeOf("modules_to_save"), "(?:^|.*\\.)" + name + "(?:$|\\..*)"));
      matcher.saved.push_back(std::move(pattern));
    }
  std::vector<std::string> layerPatterns;
  for (const std::string &name : lora.layersPattern)
    layerPatterns.push_back("(?:^|.*?\\.)" + name + "\\.(\\d+)\\.");
  if (layerPatterns.empty())
    layerPatterns.push_back(".*?\\.[^.]*\\.(\\d+)\\."); // lazy: the first number is the layer's
  for (const std::string &text : layerPatterns) {
    ZP_ASSIGN_OR_RETURN(NamePattern pattern, NamePattern::compile(lora.placeOf("layers_pattern"), text));
    matcher.layers.push_back(std::move(pattern));
  }
  ZP_ASSIGN_OR_RETURN(matcher.ranks, compilePatterns(lora.placeOf("rank_pattern"), lora.rankPattern, false));
  ZP_ASSIGN_OR_RETURN(matcher.savedRanks, compilePatterns(lora.placeOf("rank_pattern"), lora.rankPattern, true));
  ZP_ASSIGN_OR_RETURN(matcher.alphas, compilePatterns(lora.placeOf("alpha_pattern"), lora.alphaPattern, false));
  ZP_ASSIGN_OR_RETURN(matcher.savedAlphas, compilePatterns(lora.placeOf("alpha_pattern"), lora.alphaPattern, true));
  return matcher;
}

bool ModuleMatcher::inLayers(const std::string &module) const {
  if (!lora.layers || lora.layers->empty())
    return true;
  for (const NamePattern &pattern : layers) {
    std::string digits;
    if (!pattern.matchesStart(module, &digits))
      continue;
    return std::any_of(lora.layers->begin(), lora.layers->end(), [&](int64_t layer) { return digits == std::to_string(layer); });
  }
  return false;
}

ModuleMatcher::Verdict ModuleMatcher::judge(const std::string &module) const {
  auto names = [&](const ModuleChoice &choice) {
    return std::any_of(choice.names.begin(), choice.names.end(), [&](const std::string &entry) { return matchesSuffix(module, entry); });
  };
  bool isExcluded = excluded.empty() ? names(lora.excluded) : excluded[0].matchesWhole(module);
  isExcluded |= std::any_of(saved.begin(), saved.end(), [&](const NamePattern &pattern) { return pattern.matchesStart(module); });
  if (isExcluded)
    return Verdict::Excluded;
  if (!target.empty())
    return target[0].matchesWhole(module) ? Verdict::Targeted : Verdict::Unmatched;
  // A whole name in the list passes by the filter of layers.
  if (std::find(lora.targets.names.begin(), lora.targets.names.end(), module) != lora.targets.names.end())
    return Verdict::Targeted;
  return names(lora.targets) && inLayers(module) ? Verdict::Targeted : Verdict::Unmatched;
}

template <typename T> static T firstMatch(const std::vector<std::pair<NamePattern, T>> &patterns, const std::string &module, T otherwise) {
  for (const auto &[pattern, value] : patterns)
    if (pattern.matchesStart(module))
      return value;
  return otherwise;
}

int64_t ModuleMatcher::rankOf(const std::string &module) const { return firstMatch(ranks, module, lora.rank); }
int64_t ModuleMatcher::savedRankOf(const std::string &module) const { return firstMatch(savedRanks, module, lora.rank); }
double ModuleMatcher::alphaOf(const std::string &module) const { return firstMatch(alphas, module, lora.alpha).value; }
double ModuleMatcher::savedAlphaOf(const std::string &module) const { return firstMatch(savedAlphas, module, lora.alpha).value; }

} // namespace zp::fe

#include "frontends/huggingface/LoraTargets.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "frontends/huggingface/ModuleMatcher.h"
#include "runtime/base/names.h"

namespace zp::fe {

/// "c", "b.c", "a.b.c" for a.b.c.
static std::vector<std::string> suffixesOf(const std::string &name) {
  std::vector<std::string> suffixes;
  for (size_t dot = name.rfind('.'); dot != std::string::npos && dot; dot = name.rfind('.', dot - 1))
    suffixes.push_back(name.substr(dot + 1));
  suffixes.push_back(name);
  return suffixes;
}

std::vector<std::string> condenseTargets(const std::vector<std::string> &targets, const std::vector<std::string> &modules) {
  constexpr size_t kFewestToCondense = 20;
  std::set<std::string> wanted(targets.begin(), targets.end());
  std::vector<std::string> sorted(wanted.begin(), wanted.end());
  if (sorted.size() < kFewestToCondense)
    return sorted;
  // Suffixes of modules that must stay untargeted. The root module has the empty name.
  std::set<std::string> forbidden = {""};
  for (const std::string &module : modules) {
    bool targeted = std::any_of(sorted.begin(), sorted.end(), [&](const std::string &entry) { return matchesSuffix(module, entry); });
    if (!targeted)
      for (std::string &suffix : suffixesOf(module))
        forbidden.insert(std::move(suffix));
  }
  std::vector<std::vector<std::string>> bySuffixes;
  for (const std::string &name : sorted)
    bySuffixes.push_back(suffixesOf(name));
  std::sort(bySuffixes.begin(), bySuffixes.end());
  std::set<std::string> kept;
  for (const std::vector<std::string> &suffixes : bySuffixes)
    for (const std::string &suffix : suffixes) {
      if (kept.count(suffix) || forbidden.count(suffix))
        continue;
      bool covered = std::any_of(kept.begin(), kept.end(), [&](const std::string &known) { return suffixes.back().ends_with("." + known); });
      if (covered)
        continue;
      kept.insert(suffix);
      break;
    }
  if (kept.empty() || kept.size() >= sorted.size())
    return sorted;
  return {kept.begin(), kept.end()};
}

namespace {

class AdapterAttacher {
public:
  AdapterAttacher(ModelSpec &spec, const LoraSettings &lora) : spec(spec), lora(lora) {
    for (const ModuleSpec &module : spec.modules)
      paths.push_back(module.path);
  }

  StatusOr<LoraSettings> run() {
    ZP_RETURN_IF_ERROR(checkEntries());
    if (lora.targets.kind == ModuleChoice::Kind::AllLinear) {
      lora.targets.kind = ModuleChoice::Kind::Names;
      for (const ModuleSpec &module : spec.modules)
        if (module.kind == ModuleKind::Linear && module.role != Role::Head)
          lora.targets.names.push_back(module.path);
    }
    if (lora.targets.kind == ModuleChoice::Kind::Names)
      lora.targets.names = condenseTargets(lora.targets.names, paths);
    ZP_ASSIGN_OR_RETURN(ModuleMatcher matcher, ModuleMatcher::create(lora));
    ZP_RETURN_IF_ERROR(attach(matcher));
    spellOutPatterns(matcher);
    return lora;
  }

private:
  /// The last parts of the linears' names, then their whole names: what a target can be called.
  std::vector<std::string> targetNames() const {
    std::vector<std::string> names, whole;
    for (const ModuleSpec &module : spec.modules) {
      if (module.kind != ModuleKind::Linear || module.role == Role::Head)
        continue;
      std::string last = suffixesOf(module.path).front();
      if (std::find(names.begin(), names.end(), last) == names.end())
        names.push_back(last);
      whole.push_back(module.path);
    }
    names.insert(names.end(), whole.begin(), whole.end());
    return names;
  }

  Status unknown(const char *key, const std::string &entry) const {
    std::vector<std::string> names = targetNames(), nearest = nearestNames(entry, names, 3);
    if (nearest.empty())
      nearest.assign(names.begin(), names.begin() + std::min<size_t>(names.size(), 7));
    return Status(ErrorCode::UnknownTarget, lora.placeOf(key) + ": '" + entry + "' matches no module of " + spec.architecture +
                                                ", expected the end of a module's name; the nearest: " + joinNames(nearest));
  }

  Status checkEntries() {
    for (const std::string &entry : lora.targets.names)
      if (!isThere(entry)) {
        if (!lora.saved || std::none_of(lora.targets.names.begin(), lora.targets.names.end(), [&](const std::string &name) { return isThere(name); }))
          return unknown("target_modules", entry);
        spec.notes.push_back("note: " + lora.placeOf("target_modules") + ": '" + entry + "' matches no module of " + spec.architecture);
      }
    if (lora.layers)
      for (int64_t layer : *lora.layers) {
        if (layer >= 0 && layer < spec.layers)
          continue;
        const std::string what =
            lora.placeOf("layers_to_transform") + ": names layer " + std::to_string(layer) + ", expected 0 to " + std::to_string(spec.layers - 1);
        if (!lora.saved)
          return Status(ErrorCode::UnknownTarget, what + "; correct the list");
        spec.notes.push_back("note: " + what);
      }
    return Status();
  }

  bool isThere(const std::string &entry) const {
    return std::any_of(paths.begin(), paths.end(), [&](const std::string &path) { return matchesSuffix(path, entry); });
  }

  Status refuse(const ModuleSpec &module) const {
    std::string place = lora.placeOf("target_modules") + ": ";
    if (module.role == Role::Head)
      return Status(ErrorCode::Config, place + "targets lm_head, expected no adapter there: the loss reads its weight "
                                               "directly; use modules_to_save for it");
    if (module.kind == ModuleKind::Embedding)
      return Status(ErrorCode::Config, place + "targets " + module.path + ", an embedding, expected linears; use modules_to_save for it");
    return Status(ErrorCode::UnknownTarget,
                  place + "matches " + module.path +
                      ", which is no linear, expected linears alone; use the linears' names: " + joinNames(targetNames(), ", ").substr(0, 80));
  }

  Status attach(const ModuleMatcher &matcher) {
    int64_t site = 0, drawn = 0;
    bool anyExcluded = false;
    for (ModuleSpec &module : spec.modules) {
      ModuleMatcher::Verdict verdict = matcher.judge(module.path);
      anyExcluded |= verdict == ModuleMatcher::Verdict::Excluded;
      if (verdict != ModuleMatcher::Verdict::Targeted)
        continue;
      if (module.kind != ModuleKind::Linear || module.role == Role::Head)
        return refuse(module);
      AdapterSpec adapter;
      adapter.rank = matcher.rankOf(module.path);
      double alpha = matcher.alphaOf(module.path), rank = double(adapter.rank);
      adapter.scaling = alpha / (lora.rankStabilised ? std::sqrt(rank) : rank);
      adapter.dropout = lora.dropout.value;
      adapter.site = ++site;
      drawn = draw(adapter, module, drawn);
      module.adapter = adapter;
    }
    if (site)
      return Status();
    if (lora.targets.kind == ModuleChoice::Kind::Regex && !anyExcluded)
      return Status(ErrorCode::UnknownTarget, lora.placeOf("target_modules") + ": '" + lora.targets.regex + "' matches no module of " +
                                                  spec.architecture +
                                                  ", expected a regular expression of whole names; such a name: " + targetNames().back());
    return Status(ErrorCode::UnknownTarget, lora.placeOf("target_modules") +
                                                ": every target is excluded, expected one at least; loosen exclude_modules, "
                                                "modules_to_save or layers_to_transform");
  }

  /// PyTorch draws A and B as linears are made, then A again unless the weights stay as they are
  /// made.
  int64_t draw(AdapterSpec &adapter, const ModuleSpec &module, int64_t drawn) const {
    int64_t a = adapter.rank * module.weight->shape[1], b = adapter.rank * module.weight->shape[0];
    if (lora.initial == "false") {
      adapter.initial = "both_uniform";
      adapter.generatorOffset = drawn;
      return drawn + a + b;
    }
    adapter.generatorOffset = drawn + a + b;
    if (lora.initial == "true") {
      adapter.initial = "uniform";
      return adapter.generatorOffset + a;
    }
    adapter.initial = "normal";
    // Blocks of sixteen; a ragged end draws its last sixteen anew. Below sixteen: pairs of doubles
    // of two outputs each.
    return adapter.generatorOffset + (a >= 16 ? a + (a % 16 ? 16 : 0) : (a + 1) / 2 * 4);
  }

  /// A saved file has its patterns sorted, and the first that matches counts: where that changes a
  /// rank or an alpha, name each module instead.
  void spellOutPatterns(const ModuleMatcher &matcher) {
    auto escape = [](const std::string &path) {
      std::string escaped;
      for (char c : path)
        escaped += c == '.' ? std::string("\\.") : std::string(1, c);
      return escaped;
    };
    bool ranksMove = false, alphasMove = false;
    PatternMap<int64_t> ranks;
    PatternMap<WrittenNumber> alphas;
    for (const ModuleSpec &module : spec.modules) {
      if (!module.adapter)
        continue;
      int64_t rank = matcher.rankOf(module.path);
      double alpha = matcher.alphaOf(module.path);
      ranksMove |= rank != matcher.savedRankOf(module.path);
      alphasMove |= alpha != matcher.savedAlphaOf(module.path);
      if (rank != lora.rank)
        ranks.emplace_back(escape(module.path), rank);
      if (alpha != lora.alpha.value)
        alphas.emplace_back(escape(module.path), WrittenNumber{alpha, std::trunc(alpha) == alpha});
    }
    if (ranksMove)
      lora.rankPattern = std::move(ranks);
    if (alphasMove)
      lora.alphaPattern = std::move(alphas);
  }

  ModelSpec &spec;
  LoraSettings lora;
  std::vector<std::string> paths;
};

} // namespace

StatusOr<LoraSettings> attachAdapters(ModelSpec &spec, const LoraSettings &lora) { return AdapterAttacher(spec, lora).run(); }

} // namespace zp::fe

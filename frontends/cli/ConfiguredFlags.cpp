#include "frontends/cli/ConfiguredFlags.h"

#include <charconv>

#include "frontends/accelerate/AccelerateConfig.h"
#include "frontends/accelerate/ConfigSettings.h"

namespace zp::fe {

static std::string wordOf(int64_t value) { return std::to_string(value); }
static std::string wordOf(bool value) { return value ? "true" : "false"; }
static std::string wordOf(const std::string &value) { return value; }
static std::string wordOf(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr}; // as it was written, and no digit is lost
}

StatusOr<ImportOptions> parseConfiguredFlags(const std::vector<std::string> &words, std::vector<std::string> &notes) {
  ZP_ASSIGN_OR_RETURN(ImportOptions options, parseImportFlags(words));
  if (options.help || options.configFile.empty())
    return options;
  ZP_ASSIGN_OR_RETURN(JobConfig config, readAccelerateConfig(options.configFile));
  SettingSources sources;
  options.settings.forEach([&](const char *name, const auto &value, const char *) {
    if (options.given.count(name))
      sources[name] = {wordOf(value), std::string("--") + name};
  });
  ZP_RETURN_IF_ERROR(addConfigSettings(config, options.model, sources, config.notes));
  std::vector<std::string> all = words;
  for (const auto &[name, source] : sources)
    if (source.origin != "--" + name)
      all.push_back("--" + name + "=" + source.value);
  notes = std::move(config.notes);
  return parseImportFlags(all);
}

} // namespace zp::fe

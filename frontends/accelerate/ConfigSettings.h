// Lays what a configuration file asks for beside what flags have given.
#ifndef ZP_FRONTENDS_ACCELERATE_CONFIGSETTINGS_H
#define ZP_FRONTENDS_ACCELERATE_CONFIGSETTINGS_H

#include <map>
#include <string>

#include "frontends/accelerate/JobConfig.h"

namespace zp::fe {

struct SettingSource {
  std::string value, origin; ///< origin: a flag, or FILE:LINE: key
};
using SettingSources = std::map<std::string, SettingSource>; ///< by the setting's name

/// Adds the file's settings that no flag has given, what is `auto` worked out: from the `model` directory's config.json, or
/// from the other settings. Config, naming both, where the two must agree and don't. Into `notes` goes a flag that gives way.
Status addConfigSettings(const JobConfig &config, const std::string &model, SettingSources &sources, std::vector<std::string> &notes);

} // namespace zp::fe

#endif // ZP_FRONTENDS_ACCELERATE_CONFIGSETTINGS_H

// Which of several sources gives a setting its value: flags over files, files over the script's defaults, unless the
// two have to agree.
#ifndef ZP_FRONTENDS_SFT_SETTINGS_H
#define ZP_FRONTENDS_SFT_SETTINGS_H

#include "frontends/sft/SftJob.h"

namespace zp::fe {

/// Fills `settings` and `values` of the job.
Status resolveSettings(const SftArguments &arguments, const JobConfig &config, SftJob &job);

} // namespace zp::fe

#endif // ZP_FRONTENDS_SFT_SETTINGS_H

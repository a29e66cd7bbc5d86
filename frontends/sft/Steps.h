// The steps of a job as command lines, with what each depends on and makes. Nothing is run or read here.
#ifndef ZP_FRONTENDS_SFT_STEPS_H
#define ZP_FRONTENDS_SFT_STEPS_H

#include <string>
#include <vector>

#include "frontends/process/Step.h"
#include "frontends/process/Tools.h"
#include "frontends/sft/SftJob.h"

namespace zp::fe {

/// Where a job keeps what it can use again.
std::string cacheFolder(const SftJob &job);

/// (tokenizer, (resize,)) import, compile, data, (data of the test split,) train, (evaluate), in order.
std::vector<Step> stepsOf(const SftJob &job, const Tools &tools);

} // namespace zp::fe

#endif // ZP_FRONTENDS_SFT_STEPS_H

// One fine-tuning job: what flags, configuration files and defaults amount to, each setting with where it came from.
#ifndef ZP_FRONTENDS_SFT_SFTJOB_H
#define ZP_FRONTENDS_SFT_SFTJOB_H

#include <string>
#include <vector>

#include "frontends/accelerate/JobConfig.h"
#include "frontends/sft/SftFlags.h"
#include "runtime/schema/settings.h"

namespace zp::fe {

struct ResolvedSetting {
  std::string name, value, origin;
};

struct SftJob {
  std::string model, adapter, dataset, outputDir;
  std::string chatFormat;                                ///< none when the tokenizer's own template is meant
  bool ownTokenizer = false;                             ///< the chat format's: it is made, and goes where what is trained goes
  uint64_t vocabulary = 0;                               ///< tokens, when the chat format's are more than the model's embeddings; else 0
  std::string trainSplit, testSplit;                     ///< empty when the data set is a single file; testSplit also without evaluation
  bool evaluatesBetween = false, evaluatesAfter = false; ///< the test split: by --eval_strategy, by --do_eval
  std::vector<std::string> dataFlags, testDataFlags;     ///< of zpdata
  std::vector<std::string> runFlags;                     ///< of zprun
  std::vector<ResolvedSetting> settings;                 ///< in the order of settings.inc; the others are at their defaults
  JobSettings values;                                    ///< all of them
  std::string gpuIds;
  std::vector<std::string> notes;
  bool dryRun = false, quiet = false, overwrite = false;
};

/// Checks names, ranges and combinations; the files it looks at are the model's config.json (for an `auto`) and whether
/// model and data set are there. A value that a file and a flag give differently is Config, naming both.
StatusOr<SftJob> resolveJob(const SftArguments &arguments, const JobConfig &config);

} // namespace zp::fe

#endif // ZP_FRONTENDS_SFT_SFTJOB_H

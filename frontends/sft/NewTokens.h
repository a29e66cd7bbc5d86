// Tokens that a chat format brings: whether the model has rows of embeddings for them.
#ifndef ZP_FRONTENDS_SFT_NEWTOKENS_H
#define ZP_FRONTENDS_SFT_NEWTOKENS_H

#include "frontends/process/Tools.h"
#include "frontends/sft/SftJob.h"

namespace zp::fe {

/// Asks zpdata how many tokens the job's tokenizer has with its chat format's: sets `job.ownTokenizer`, and `job.vocabulary` when they are more
/// than the model's rows; a note says so. A tokenizer or a config.json that can't be read is left for the steps to complain of.
Status countNewTokens(SftJob &job, const Tools &tools);

} // namespace zp::fe

#endif // ZP_FRONTENDS_SFT_NEWTOKENS_H

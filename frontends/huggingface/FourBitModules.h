// Which linears are kept in 4 bits: all but the head and those that the job or the checkpoint skips.
#ifndef ZP_FRONTENDS_HUGGINGFACE_FOURBITMODULES_H
#define ZP_FRONTENDS_HUGGINGFACE_FOURBITMODULES_H

#include "frontends/common/ModelSpec.h"
#include "frontends/huggingface/LoraSettings.h"

namespace zp::fe {

/// Marks `spec` and its linears. `skipped` is read as transformers 5 reads it: an entry is the end of a
/// module's name, or a regular expression of its beginning up to a dot or the end. Config, starting with
/// `place`, for an expression that isn't one; UnknownTarget for an entry that means no linear, when
/// `all` must mean some.
Status markFourBit(ModelSpec &spec, const std::vector<std::string> &skipped, const std::string &place, bool all);

/// A weight in 4 bits can't be trained: Config when modules_to_save asks for it. After trainAdapters.
Status verifyFourBitFrozen(const ModelSpec &spec, const LoraSettings &lora);

} // namespace zp::fe

#endif // ZP_FRONTENDS_HUGGINGFACE_FOURBITMODULES_H

// Resolves LoRA's targets on a model: names and patterns become an AdapterSpec on each linear that
// is adapted.
#ifndef ZP_FRONTENDS_HUGGINGFACE_LORATARGETS_H
#define ZP_FRONTENDS_HUGGINGFACE_LORATARGETS_H

#include "frontends/common/ModelSpec.h"
#include "frontends/huggingface/LoraSettings.h"

namespace zp::fe {

/// Attaches the adapters. Returns the settings as PEFT would hold and save them afterwards:
/// all-linear spelled out, a list of twenty names or more condensed to suffixes, overlapping
/// patterns that sorting would reorder spelled out by module. UnknownTarget when an entry matches
/// no module (of a saved configuration, a note of `spec`, unless none does), or what matches is no
/// linear; Config for the head and the embedding.
StatusOr<LoraSettings> attachAdapters(ModelSpec &spec, const LoraSettings &lora);

/// The shortest list of suffixes that means the same modules; PEFT's algorithm.
std::vector<std::string> condenseTargets(const std::vector<std::string> &targets, const std::vector<std::string> &modules);

} // namespace zp::fe

#endif // ZP_FRONTENDS_HUGGINGFACE_LORATARGETS_H

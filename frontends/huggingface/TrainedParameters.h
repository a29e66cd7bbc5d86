// Marks what is trained besides the adapters' own matrices, and counts as PEFT counts.
#ifndef ZP_FRONTENDS_HUGGINGFACE_TRAINEDPARAMETERS_H
#define ZP_FRONTENDS_HUGGINGFACE_TRAINEDPARAMETERS_H

#include "frontends/common/ModelSpec.h"
#include "frontends/huggingface/LoraSettings.h"

namespace zp::fe {

/// Before a module's name in an adapter's file.
inline const std::string kSavedPrefix = "base_model.model.";

struct ParameterCounts {
  int64_t trained = 0;
  int64_t all = 0; ///< a module that is trained whole counts twice: PEFT keeps the original beside it
};

/// Whether the Trainer puts a parameter of that name into the group with weight decay. A LayerNorm's
/// it never does, whatever they are called (ln_f); other norms it knows by their names.
bool isDecayed(const std::string &name);

/// Full-parameter training: every tensor, saved under its own name.
ParameterCounts trainEverything(ModelSpec &spec);

/// Weight decay is of every trained parameter.
void decayEverything(ModelSpec &spec);

/// Generation by the base model alone.
ParameterCounts trainNothing(ModelSpec &spec);

/// LoRA: the biases and the modules_to_save that `lora` names. A tied head or embedding that is
/// saved breaks the tie. UnknownTarget when a module to save matches nothing.
StatusOr<ParameterCounts> trainAdapters(ModelSpec &spec, const LoraSettings &lora);

/// `trainable params: 4,194,304 || all params: 6,742,609,920 || trainable%: 0.0622`
std::string summarise(const ParameterCounts &counts);

} // namespace zp::fe

#endif // ZP_FRONTENDS_HUGGINGFACE_TRAINEDPARAMETERS_H

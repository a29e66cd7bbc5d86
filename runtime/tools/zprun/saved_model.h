// How a training run's weights are saved: by which names, in which dtype, and what of the base goes with an adapter.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_SAVED_MODEL_H
#define ZP_RUNTIME_TOOLS_ZPRUN_SAVED_MODEL_H

#include "runtime/tools/zprun/session.h"
#include "runtime/trainer/trained_weights.h"

namespace zp::rt {

/// A whole model has the 16 bits that it was computed in when zero3_save_16bit_model asks for it, else its own dtype: what
/// config.json says, or where it is silent the first tensor's, as transformers loads it. An adapter of a model whose
/// vocabulary isn't that of the base which it will be loaded upon takes embedding and head along (PEFT's
/// save_embedding_layers "auto"). Who `writes` has what goes beside the weights, too. Errors: those of the base's files, and of the tokenizer's.
StatusOr<SavedModel> savedModelOf(const Session &session, bool writes);

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_SAVED_MODEL_H

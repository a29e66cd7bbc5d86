// What an adapter brings of embeddings and head.
#ifndef ZP_FRONTENDS_HUGGINGFACE_ADAPTEREMBEDDINGS_H
#define ZP_FRONTENDS_HUGGINGFACE_ADAPTEREMBEDDINGS_H

#include "frontends/common/ModelSpec.h"
#include "runtime/base/status.h"

namespace zp::fe {

/// An adapter of a model that got rows for new tokens holds its embeddings and its head whole (PEFT's save_embedding_layers
/// "auto"): the model is the base with these in place of its own. Makes the modules of `spec` anew, with as many tokens; they are
/// the base's yet, by name. Does nothing where the adapter has no such tensors, or as many rows as the base, or can't be read,
/// which whoever loads it says. AdapterMismatch for embeddings of another model.
Status adoptEmbeddings(const std::string &adapterDirectory, ModelSpec &spec);

} // namespace zp::fe

#endif // ZP_FRONTENDS_HUGGINGFACE_ADAPTEREMBEDDINGS_H

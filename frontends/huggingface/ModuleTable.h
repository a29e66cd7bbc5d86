// The modules of a model and their tensors, in the order and with the names that PyTorch gives
// them.
#ifndef ZP_FRONTENDS_HUGGINGFACE_MODULETABLE_H
#define ZP_FRONTENDS_HUGGINGFACE_MODULETABLE_H

#include "frontends/common/ModelSpec.h"

namespace zp::fe {

/// Fills `spec.modules` from its sizes. A tied head's weight is the embedding's parameter.
void makeModules(ModelSpec &spec);

} // namespace zp::fe

#endif // ZP_FRONTENDS_HUGGINGFACE_MODULETABLE_H

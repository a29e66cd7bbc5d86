// config.json of a Hugging Face directory, as transformers 4 and 5 write it, to a ModelSpec without
// modules.
//
// Errors name FILE:LINE and the key: FileMissing and Json for the file, UnknownArchitecture for a
// model or a feature of one that is not supported. Whatever would silently change the mathematics
// is refused, not ignored.
#ifndef ZP_FRONTENDS_HUGGINGFACE_CONFIGIMPORTER_H
#define ZP_FRONTENDS_HUGGINGFACE_CONFIGIMPORTER_H

#include "frontends/common/JsonDocument.h"
#include "frontends/common/ModelSpec.h"

namespace zp::fe {

struct Family;

/// The family of a config, by architectures[0], else model_type.
StatusOr<const Family *> familyOf(const JsonDocument &config);

StatusOr<ModelSpec> importConfig(const JsonDocument &config);

} // namespace zp::fe

#endif // ZP_FRONTENDS_HUGGINGFACE_CONFIGIMPORTER_H

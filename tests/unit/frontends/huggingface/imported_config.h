#ifndef ZP_TESTS_UNIT_FRONTENDS_HUGGINGFACE_IMPORTED_CONFIG_H
#define ZP_TESTS_UNIT_FRONTENDS_HUGGINGFACE_IMPORTED_CONFIG_H

#include "frontends/huggingface/ConfigImporter.h"
#include "tests/unit/frontends/support.h"

namespace zp::fe::test {

/// What a config.json of this text says.
inline StatusOr<ModelSpec> importedConfig(const std::string &text) { return importConfig(document(text)); }

} // namespace zp::fe::test

#endif // ZP_TESTS_UNIT_FRONTENDS_HUGGINGFACE_IMPORTED_CONFIG_H

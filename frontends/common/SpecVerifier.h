// The rules that a ModelSpec must keep before it is built, and those that tie it to the job.
#ifndef ZP_FRONTENDS_COMMON_SPECVERIFIER_H
#define ZP_FRONTENDS_COMMON_SPECVERIFIER_H

#include "frontends/common/ModelSpec.h"
#include "runtime/base/status.h"
#include "runtime/schema/settings.h"

namespace zp::fe {

/// Sizes that fit each other: UnknownArchitecture. Rows within the model's positions: RopeLimit. An encoder's tokens at once:
/// Config; verifySettings has the decoder's.
Status verifySpec(const ModelSpec &spec, const JobSettings &settings);

} // namespace zp::fe

#endif // ZP_FRONTENDS_COMMON_SPECVERIFIER_H

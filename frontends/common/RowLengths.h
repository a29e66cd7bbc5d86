// Which flags say how long rows are: of a decoder alone --max_length, of an encoder-decoder one flag a side.
#ifndef ZP_FRONTENDS_COMMON_ROWLENGTHS_H
#define ZP_FRONTENDS_COMMON_ROWLENGTHS_H

#include <set>
#include <string>

#include "frontends/common/ModelSpec.h"
#include "runtime/base/status.h"
#include "runtime/schema/settings.h"

namespace zp::fe {

/// From here on max_length is the decoder's, whatever the model. Config for a flag that the model has no use for.
Status settleLengths(const ModelSpec &spec, const std::set<std::string> &given, JobSettings &settings);

} // namespace zp::fe

#endif // ZP_FRONTENDS_COMMON_ROWLENGTHS_H

// Lists of names, as users write them and as messages show them.
#ifndef ZP_FRONTENDS_COMMON_NAMES_H
#define ZP_FRONTENDS_COMMON_NAMES_H

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/names.h"

namespace zp::fe {

/// `"a", "b"`.
std::string quoteNames(const std::vector<std::string> &names);

/// The parts between commas, blanks around them removed, empty ones dropped.
std::vector<std::string> splitCommaList(std::string_view text);

} // namespace zp::fe

#endif // ZP_FRONTENDS_COMMON_NAMES_H

// Names that a user may have meant.
#ifndef ZP_FRONTENDS_COMMON_NAMES_H
#define ZP_FRONTENDS_COMMON_NAMES_H

#include <string>
#include <string_view>
#include <vector>

namespace zp::fe {

/// Levenshtein distance in bytes.
size_t editDistance(std::string_view a, std::string_view b);

/// Up to `most` of `known`, nearest first, none further than half of `name`'s length; ties in the
/// order of `known`.
std::vector<std::string> nearestNames(std::string_view name, const std::vector<std::string> &known,
                                      size_t most = 1);

/// `"a", "b"`.
std::string quoteNames(const std::vector<std::string> &names);
/// `a, b`.
std::string joinNames(const std::vector<std::string> &names, std::string_view separator = ", ");

/// The parts between commas, blanks around them removed, empty ones dropped.
std::vector<std::string> splitCommaList(std::string_view text);

} // namespace zp::fe

#endif // ZP_FRONTENDS_COMMON_NAMES_H

// Names that a user may have meant.
#ifndef ZP_RUNTIME_BASE_NAMES_H
#define ZP_RUNTIME_BASE_NAMES_H

#include <string>
#include <string_view>
#include <vector>

namespace zp {

/// Levenshtein distance in bytes.
size_t editDistance(std::string_view a, std::string_view b);

/// Up to `most` of `known`, nearest first, none further than half of `name`'s length; ties in the
/// order of `known`.
std::vector<std::string> nearestNames(std::string_view name, const std::vector<std::string> &known,
                                      size_t most = 1);

/// `a, b`.
std::string joinNames(const std::vector<std::string> &names, std::string_view separator = ", ");

} // namespace zp

#endif // ZP_RUNTIME_BASE_NAMES_H

// Names and words as people write them: what a wrong one may have meant, lists, truth.
#ifndef ZP_RUNTIME_BASE_NAMES_H
#define ZP_RUNTIME_BASE_NAMES_H

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zp {

/// Levenshtein distance in bytes.
size_t editDistance(std::string_view a, std::string_view b);

/// Up to `most` of `known`, nearest first, none further than half of `name`'s length; ties in the
/// order of `known`.
std::vector<std::string> nearestNames(std::string_view name, const std::vector<std::string> &known, size_t most = 1);

/// `"a", "b"`.
std::string quoteNames(const std::vector<std::string> &names);
/// `a, b`.
std::string joinNames(const std::vector<std::string> &names, std::string_view separator = ", ");

/// The parts between commas, blanks around them removed, empty ones dropped.
std::vector<std::string> splitCommaList(std::string_view text);

/// Letters of ASCII in lower case, all else as it is.
std::string lowered(std::string_view text);
/// "TrainStep" as "train_step".
std::string snakeCase(std::string_view name);

/// true, yes, on, y, t, 1 and their opposites, in any case.
std::optional<bool> boolWord(std::string_view text);

} // namespace zp

#endif // ZP_RUNTIME_BASE_NAMES_H

#include "runtime/base/name_pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace zp {
namespace {

// Steps of one match: a pattern that backtracks without end is given up after about ten milliseconds.
constexpr uint32_t kMostSteps = 1'000'000;

pcre2_match_context *limits() {
  static const std::unique_ptr<pcre2_match_context, decltype(&pcre2_match_context_free)> context = [] {
    pcre2_match_context *made = pcre2_match_context_create(nullptr);
    pcre2_set_match_limit(made, kMostSteps);
    return std::unique_ptr<pcre2_match_context, decltype(&pcre2_match_context_free)>(made, pcre2_match_context_free);
  }();
  return context.get();
}

} // namespace

StatusOr<NamePattern> NamePattern::compile(const std::string &place, const std::string &pattern) {
  int error = 0;
  size_t at = 0;
  pcre2_code *code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), PCRE2_UTF, &error, &at, nullptr);
  if (!code) {
    char why[128] = "";
    pcre2_get_error_message(error, reinterpret_cast<PCRE2_UCHAR *>(why), sizeof why);
    return Status(ErrorCode::Config, place + ": '" + pattern + "' is no regular expression that is understood here (" + why + " at character " +
                                         std::to_string(at) + "), expected one of Python's; rewrite it or list the names");
  }
  NamePattern compiled;
  compiled.code = std::shared_ptr<const void>(code, [](void *made) { pcre2_code_free(static_cast<pcre2_code *>(made)); });
  return compiled;
}

bool NamePattern::matches(std::string_view text, uint32_t options, std::string *group) const {
  const auto *compiled = static_cast<const pcre2_code *>(code.get());
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data(pcre2_match_data_create_from_pattern(compiled, nullptr),
                                                                                 pcre2_match_data_free);
  if (pcre2_match(compiled, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, PCRE2_ANCHORED | options, data.get(), limits()) < 0)
    return false;
  const size_t *ends = pcre2_get_ovector_pointer(data.get());
  const uint32_t last = pcre2_get_ovector_count(data.get()) - 1;
  if (group && last > 0 && ends[2 * last] != PCRE2_UNSET)
    *group = text.substr(ends[2 * last], ends[2 * last + 1] - ends[2 * last]);
  return true;
}

bool NamePattern::matchesWhole(std::string_view name) const { return matches(name, PCRE2_ENDANCHORED, nullptr); }
bool NamePattern::matchesFirst(std::string_view name, size_t length) const {
  return matches(name.substr(0, length), PCRE2_ENDANCHORED | (length < name.size() ? PCRE2_NOTEOL : 0), nullptr);
}
bool NamePattern::matchesStart(std::string_view name, std::string *group) const { return matches(name, 0, group); }

} // namespace zp

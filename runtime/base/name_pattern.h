// Regular expressions of modules' names, as PEFT's and bitsandbytes' settings hold them.
#ifndef ZP_RUNTIME_BASE_NAME_PATTERN_H
#define ZP_RUNTIME_BASE_NAME_PATTERN_H

#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/status.h"

namespace zp {

/// A pattern of Python's `re`, matched by PCRE2, which has its syntax (named groups, inline flags, look-behind). A match that would take
/// forever is none.
class NamePattern {
public:
  /// Config, beginning with `place`, when it doesn't compile.
  static StatusOr<NamePattern> compile(const std::string &place, const std::string &pattern);
  /// re.fullmatch
  bool matchesWhole(std::string_view name) const;
  /// re.fullmatch of the first `length` characters, which know that the name goes on.
  bool matchesFirst(std::string_view name, size_t length) const;
  /// re.match; the last group's text when there is one.
  bool matchesStart(std::string_view name, std::string *group = nullptr) const;

private:
  bool matches(std::string_view text, uint32_t options, std::string *group) const;

  std::shared_ptr<const void> code; // PCRE2's
};

} // namespace zp

#endif // ZP_RUNTIME_BASE_NAME_PATTERN_H

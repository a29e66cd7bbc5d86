// Walks a verb's arguments: `--flag value`, `--flag=value`, `-` and `_` alike in names, and what is no flag.
#ifndef ZP_COMPILER_TOOLS_ZPC_FLAGREADER_H
#define ZP_COMPILER_TOOLS_ZPC_FLAGREADER_H

#include <optional>
#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace zp {

class FlagReader {
public:
  /// `verb`: "zpc compile"; argv[0] is skipped.
  FlagReader(std::string verb, int argc, char **argv) : verb(std::move(verb)), words(argv + (argc > 0), argv + argc) {}

  /// Goes to the next argument; false behind the last.
  bool next();
  /// The argument as it stands, of a flag its name alone.
  const std::string &flag() const { return name; }
  bool is(const char *flag) const { return name == flag; }
  bool isFlag() const { return name.size() > 1 && name[0] == '-'; }
  /// The flag's value. Error: Usage when there is none.
  StatusOr<std::string> value();
  /// The words up to the next flag, an attached value among them. -1 is a word.
  std::vector<std::string> values();

  Status usage(const std::string &message) const { return Status(ErrorCode::Usage, verb + ": " + message + "; " + verb + " --help tells the flags"); }
  /// UnknownKey with the nearest of `known`.
  Status unknown(const std::vector<std::string> &known) const;

private:
  std::string verb, name;
  std::vector<std::string> words;
  std::optional<std::string> attached;
  size_t at = 0; // the argument behind this one
};

} // namespace zp

#endif // ZP_COMPILER_TOOLS_ZPC_FLAGREADER_H

#include "runtime/base/version.h"

#include <cstring>

namespace zp {

const char *version() { return ZP_VERSION; }

std::string versionAnswer(const char *tool, int argc, const char *const *argv) {
  return argc == 2 && !std::strcmp(argv[1], "--version") ? std::string(tool) + " " + version() + "\n" : "";
}

} // namespace zp

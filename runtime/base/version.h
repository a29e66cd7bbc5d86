// What every tool says for --version.
#ifndef ZP_RUNTIME_BASE_VERSION_H
#define ZP_RUNTIME_BASE_VERSION_H

#include <string>

namespace zp {

/// The project's, of the CMakeLists.txt at its root: "0.1.0".
const char *version();

/// "TOOL VERSION" and a line's end, where --version is all that a tool was asked; otherwise empty.
std::string versionAnswer(const char *tool, int argc, const char *const *argv);

} // namespace zp

#endif // ZP_RUNTIME_BASE_VERSION_H

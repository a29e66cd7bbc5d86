#ifndef ZP_RUNTIME_BASE_TEXT_FILE_H
#define ZP_RUNTIME_BASE_TEXT_FILE_H

#include <string>

#include "runtime/base/status.h"

namespace zp {

/// The whole of a file. FileMissing where there is none that can be read: nothing there, a directory, no leave.
StatusOr<std::string> readTextFile(const std::string &path);

} // namespace zp

#endif // ZP_RUNTIME_BASE_TEXT_FILE_H

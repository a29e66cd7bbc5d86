#include "runtime/base/status.h"

namespace zp {

int exitCodeOf(ErrorCode code) {
  switch (code) {
  case ErrorCode::Ok:
    return 0;
#define ZP_ERROR(name, number, exitCode, summary)                                                                                                    \
  case ErrorCode::name:                                                                                                                              \
    return exitCode;
#include "runtime/base/error_codes.inc"
#undef ZP_ERROR
  }
  return 1;
}

const std::string &Status::message() const {
  static const std::string none;
  return payload ? payload->message : none;
}

std::string Status::toString() const {
  if (ok())
    return "ok";
  return "error[ZP" + std::to_string(static_cast<int>(code())) + "] " + message();
}

} // namespace zp

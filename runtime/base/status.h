// Errors as values. A Status is OK or carries one code of error_codes.inc and a one-line message:
// `FILE:PLACE: what is, expected what; how to fix`. No exceptions, no exit(), no assert on input.
#ifndef ZP_RUNTIME_BASE_STATUS_H
#define ZP_RUNTIME_BASE_STATUS_H

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace zp {

enum class ErrorCode : uint16_t {
  Ok = 0,
#define ZP_ERROR(name, number, exitCode, summary) name = number,
#include "runtime/base/error_codes.inc"
#undef ZP_ERROR
};

/// The process exit code that `code` stands for (0 for Ok).
int exitCodeOf(ErrorCode code);

class [[nodiscard]] Status {
public:
  Status() = default;
  Status(ErrorCode code, std::string message) : payload(std::make_shared<Payload>(Payload{code, std::move(message)})) {}

  bool ok() const { return !payload; }
  ErrorCode code() const { return payload ? payload->code : ErrorCode::Ok; }
  const std::string &message() const;
  /// `error[ZP3003] message`: what a tool prints.
  std::string toString() const;

private:
  struct Payload {
    ErrorCode code;
    std::string message;
  };
  std::shared_ptr<const Payload> payload;
};

/// A value or the reason why there is none.
template <typename T> class [[nodiscard]] StatusOr {
public:
  StatusOr(Status status) : error(std::move(status)) {}
  StatusOr(T value) : held(std::move(value)) {}
  bool ok() const { return held.has_value(); }
  const Status &status() const { return error; }
  T &value() & { return *held; }
  const T &value() const & { return *held; }
  T &&value() && { return std::move(*held); }
  T &operator*() & { return *held; }
  const T &operator*() const & { return *held; }
  T *operator->() { return &*held; }
  const T *operator->() const { return &*held; }

private:
  Status error;
  std::optional<T> held;
};

} // namespace zp

#define ZP_CONCAT_INNER(a, b) a##b
#define ZP_CONCAT(a, b) ZP_CONCAT_INNER(a, b)
#define ZP_RETURN_IF_ERROR(expr)                                                                                                                     \
  do {                                                                                                                                               \
    if (::zp::Status zpStatus = (expr); !zpStatus.ok())                                                                                              \
      return zpStatus;                                                                                                                               \
  } while (false)
#define ZP_ASSIGN_OR_RETURN(lhs, expr)                                                                                                               \
  auto ZP_CONCAT(zpOr, __LINE__) = (expr);                                                                                                           \
  if (!ZP_CONCAT(zpOr, __LINE__).ok())                                                                                                               \
    return ZP_CONCAT(zpOr, __LINE__).status();                                                                                                       \
  lhs = std::move(ZP_CONCAT(zpOr, __LINE__)).value()

#endif // ZP_RUNTIME_BASE_STATUS_H

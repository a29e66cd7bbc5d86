#include "runtime/kernels/check.h"

#include <cmath>

#include "runtime/base/checked_math.h"
#include "runtime/schema/step_scalars.h"

namespace zp::rt {

static std::string dimsText(std::span<const int64_t> dims) {
  std::string text;
  for (int64_t dim : dims) {
    text += text.empty() ? '[' : ',';
    text += dim < 0 ? std::string("any") : std::to_string(dim);
  }
  return text + "]";
}

static std::string dtypesText(std::initializer_list<DType> dtypes) {
  std::string text;
  for (DType dtype : dtypes)
    text += (text.empty() ? "" : " or ") + std::string(textOf(dtype));
  return text;
}

std::string describe(const TensorView &view) {
  if (!view)
    return "absent";
  int rank = view.rank < 0 ? 0 : view.rank > 4 ? 4 : view.rank;
  return textOf(view.dtype) + dimsText({view.dims.data(), static_cast<size_t>(rank)});
}

void Checker::fail(const std::string &is, const std::string &expected) {
  if (first.ok())
    first = Status(ErrorCode::PlanInvalid, std::string(op) + ": " + is + ", expected " + expected);
}

const char *Checker::nameOf(const TensorView &operand) const { return infos[static_cast<size_t>(&operand - operandList.data())].name; }

/// Bytes of a well-formed view; false when dims are not positive or the size does not fit in 63 bits.
static bool sizeOf(const TensorView &view, uint64_t &bytes) {
  uint64_t elements = 1;
  for (int i = 0; i < view.rank; ++i)
    if (view.dims[i] <= 0 || !checkedMul(elements, static_cast<uint64_t>(view.dims[i]), elements))
      return false;
  if (elements > (uint64_t{1} << 60))
    return false;
  bytes = bytesOf(view.dtype, elements);
  return true;
}

static bool overlap(const TensorView &a, const TensorView &b) {
  auto at = reinterpret_cast<uintptr_t>(a.data), bt = reinterpret_cast<uintptr_t>(b.data);
  return at < bt + b.bytes() && bt < at + a.bytes();
}

Checker &Checker::operands(std::initializer_list<std::pair<const TensorView *, const TensorView *>> aliases) {
  for (size_t i = 0; i < operandList.size() && first.ok(); ++i) {
    const TensorView &view = operandList[i];
    std::string name = infos[i].name;
    if (!view) {
      if (!infos[i].optional)
        fail(name + " is absent", "an operand");
      continue;
    }
    uint64_t bytes;
    if (static_cast<int>(view.dtype) >= kDTypeCount)
      fail(name + " has dtype " + std::to_string(static_cast<int>(view.dtype)), "a known dtype");
    else if (view.rank < 1 || view.rank > 4)
      fail(name + " has rank " + std::to_string(view.rank), "1 to 4");
    else if (!sizeOf(view, bytes))
      fail(name + " is " + describe(view), "positive dims and fewer than 2^60 elements");
    else if (reinterpret_cast<uintptr_t>(view.data) % (bitsOf(view.dtype) / 8) != 0)
      fail(name + " lies at an address that is not a multiple of its element", "an aligned address");
  }
  for (size_t i = 0; i < operandList.size() && first.ok(); ++i)
    for (size_t j = 0; j < operandList.size() && first.ok(); ++j) {
      const TensorView &written = operandList[i], &other = operandList[j];
      if (i == j || !infos[i].writes || !written || !other || !overlap(written, other))
        continue;
      bool allowed = false;
      for (auto [x, y] : aliases)
        allowed |= (x == &written && y == &other) || (x == &other && y == &written);
      bool same = written.data == other.data && written.dtype == other.dtype && written.bytes() == other.bytes();
      if (!allowed || !same)
        fail(std::string(infos[i].name) + " overlaps " + infos[j].name, allowed ? "the very same memory or none in common" : "no common memory");
    }
  return *this;
}

Checker &Checker::dtype(const TensorView &operand, std::initializer_list<DType> allowed) {
  if (!ok() || !operand)
    return *this;
  for (DType dtype : allowed)
    if (operand.dtype == dtype)
      return *this;
  fail(std::string(nameOf(operand)) + " is " + describe(operand), dtypesText(allowed));
  return *this;
}

Checker &Checker::shape(const TensorView &operand, std::initializer_list<int64_t> dims) {
  if (!ok() || !operand)
    return *this;
  bool same = operand.rank == static_cast<int>(dims.size());
  int i = 0;
  for (int64_t dim : dims) {
    same = same && (dim < 0 || operand.dims[i] == dim);
    ++i;
  }
  if (!same)
    fail(std::string(nameOf(operand)) + " is " + describe(operand), dimsText({dims.begin(), dims.size()}));
  return *this;
}

Checker &Checker::tensor(const TensorView &operand, DType type, std::initializer_list<int64_t> dims) {
  return dtype(operand, {type}).shape(operand, dims);
}

Checker &Checker::sameElements(const TensorView &operand, const TensorView &like) {
  if (ok() && operand && operand.elements() != like.elements())
    fail(std::string(nameOf(operand)) + " is " + describe(operand), "as many elements as " + std::string(nameOf(like)) + " " + describe(like));
  return *this;
}

Checker &Checker::workspace(const TensorView &operand, uint64_t bytes) {
  dtype(operand, {DType::U8});
  uint64_t has = ok() && operand ? operand.bytes() : 0;
  if (ok() && has < bytes)
    fail(std::string(nameOf(operand)) + " has " + std::to_string(has) + " bytes", "at least " + std::to_string(bytes));
  if (ok() && operand && reinterpret_cast<uintptr_t>(operand.data) % 64 != 0)
    fail(std::string(nameOf(operand)) + " lies at an address that is not a multiple of 64", "an aligned workspace");
  return *this;
}

Checker &Checker::scalars(const TensorView &operand) {
  tensor(operand, DType::U8, {sizeof(StepScalars)});
  if (ok() && reinterpret_cast<uintptr_t>(operand.data) % alignof(StepScalars) != 0)
    fail(std::string(nameOf(operand)) + " lies at an address that is not a multiple of 8", "aligned step scalars");
  return *this;
}

Checker &Checker::rule(bool holds, const std::string &is, const std::string &expected) {
  if (ok() && !holds)
    fail(is, expected);
  return *this;
}

Checker &Checker::attribute(const char *name, int64_t value, int64_t low, int64_t high) {
  if (ok() && (value < low || value > high))
    fail(std::string(name) + " is " + std::to_string(value), low == high ? std::to_string(low) : std::to_string(low) + " to " + std::to_string(high));
  return *this;
}

Checker &Checker::finite(const char *name, double value) {
  if (ok() && !std::isfinite(value))
    fail(std::string(name) + " is " + std::to_string(value), "a finite number");
  return *this;
}

} // namespace zp::rt

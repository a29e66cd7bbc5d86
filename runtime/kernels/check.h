// Tools of the kernels' checks. A check sees arguments that may come from a hostile plan and lets pass only those that the
// kernels can run without a look at bounds. Rules common to all ops live in `Checker::operands`:
//   C1 required operands are there; ranks are 1 to 4, dims positive, sizes fit in 63 bits, addresses aligned to elements;
//   C2 a written operand overlaps no other operand, unless the op allows that pair and it is the very same memory.
#ifndef ZP_RUNTIME_KERNELS_CHECK_H
#define ZP_RUNTIME_KERNELS_CHECK_H

#include <initializer_list>
#include <span>
#include <string>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/kernels/op_info.h"

namespace zp::rt {

/// "f32[2,3]", or "absent".
std::string describe(const TensorView &view);

/// Collects the first broken rule; later ones are not looked at. Use: check(args).operands().shape(…).status().
class Checker {
public:
  template <typename Args> explicit Checker(const Args &args) : op(OpInfo<Args>::name), operandList(operandsOf(args)), infos(kOperandInfos<Args>) {}

  /// `aliases`: pairs of operands that may be the same memory. Run this first.
  Checker &operands(std::initializer_list<std::pair<const TensorView *, const TensorView *>> aliases = {});
  /// The operand's dtype is one of these.
  Checker &dtype(const TensorView &operand, std::initializer_list<DType> allowed);
  /// Rank and dims as given; -1 stands for any.
  Checker &shape(const TensorView &operand, std::initializer_list<int64_t> dims);
  /// dtype and shape in one; an absent optional operand passes.
  Checker &tensor(const TensorView &operand, DType type, std::initializer_list<int64_t> dims);
  /// The same number of elements as another operand, whatever the shapes.
  Checker &sameElements(const TensorView &operand, const TensorView &like);
  /// At least so many bytes of u8; an absent operand passes only when `bytes` is 0.
  Checker &workspace(const TensorView &operand, uint64_t bytes);
  /// The block of step scalars.
  Checker &scalars(const TensorView &operand);
  /// A rule of the op's own: `is` and `expected` are the two halves of the message.
  Checker &rule(bool holds, const std::string &is, const std::string &expected);
  /// An attribute that names an integer range, both ends included.
  Checker &attribute(const char *name, int64_t value, int64_t low, int64_t high);
  /// A finite attribute.
  Checker &finite(const char *name, double value);

  bool ok() const { return first.ok(); }
  Status status() const { return first; }

private:
  const char *nameOf(const TensorView &operand) const;
  void fail(const std::string &is, const std::string &expected);
  const char *op;
  std::span<const TensorView> operandList;
  std::span<const OperandInfo> infos;
  Status first;
};

/// The dtypes that `f` of the op table stands for.
inline constexpr std::initializer_list<DType> kComputeDTypes = {DType::F32, DType::BF16, DType::F16};

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_CHECK_H

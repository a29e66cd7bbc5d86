// Which section holds a parameter; flat tensor types. What the passes of this folder share.
#ifndef ZP_COMPILER_TRANSFORMS_ZERO_SECTIONS_H
#define ZP_COMPILER_TRANSFORMS_ZERO_SECTIONS_H

#include "dialects/Zero/IR/ZeroDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace zp::zero {

class SectionIndex {
public:
  explicit SectionIndex(mlir::ModuleOp module) {
    for (auto section : module.getOps<SectionOp>()) {
      sections.push_back(section);
      for (SlotAttr slot : section.getSlots().getAsRange<SlotAttr>())
        owner[slot.getParameter().getAttr()] = section;
    }
  }
  /// The section with a slot for the parameter, or null.
  SectionOp of(mlir::FlatSymbolRefAttr parameter) const { return owner.lookup(parameter.getAttr()); }
  llvm::ArrayRef<SectionOp> all() const { return sections; }

private:
  llvm::SmallVector<SectionOp> sections;
  llvm::DenseMap<mlir::StringAttr, SectionOp> owner;
};

inline mlir::RankedTensorType flat(int64_t elements, mlir::Type element) { return mlir::RankedTensorType::get({elements}, element); }
inline mlir::Type elementOf(SectionOp section) { return llvm::cast<mlir::RankedTensorType>(section.getType()).getElementType(); }
inline mlir::FlatSymbolRefAttr symbolOf(SectionOp section) { return mlir::FlatSymbolRefAttr::get(section.getSymNameAttr()); }

/// The memory that a setting of offload names: none, cpu or nvme.
inline Tier tierOf(llvm::StringRef device) { return device == "cpu" ? Tier::Host : device == "nvme" ? Tier::Disk : Tier::Device; }

/// Collective and wait in one: `OpT` on `source`, giving `elements` elements.
template <typename OpT> mlir::Value collective(mlir::OpBuilder &b, mlir::Location loc, mlir::Value source, int64_t elements, int64_t ranks) {
  auto type = flat(elements, llvm::cast<mlir::RankedTensorType>(source.getType()).getElementType());
  auto start = OpT::create(b, loc, FutureType::get(b.getContext(), type), source, b.getI64IntegerAttr(ranks));
  return WaitOp::create(b, loc, type, start.getResult());
}

} // namespace zp::zero

#endif // ZP_COMPILER_TRANSFORMS_ZERO_SECTIONS_H

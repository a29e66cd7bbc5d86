#include "dialects/NF4/IR/NF4Dialect.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace zp::nf4;

#include "dialects/NF4/IR/NF4Dialect.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/NF4/IR/NF4Types.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/NF4/IR/NF4Ops.cpp.inc"

void NF4Dialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/NF4/IR/NF4Types.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/NF4/IR/NF4Ops.cpp.inc"
      >();
}

//===--- !nf4.block<64, fp4, nested = 256> -----------------------------------------===//

void BlockType::print(AsmPrinter &printer) const {
  printer << "<" << getBlockSize();
  if (getFp4())
    printer << ", fp4";
  if (getNested())
    printer << ", nested = " << getNested();
  printer << ">";
}

Type BlockType::parse(AsmParser &parser) {
  int64_t blockSize = 0, nested = 0;
  bool fp4 = false;
  llvm::SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseInteger(blockSize))
    return {};
  while (succeeded(parser.parseOptionalComma())) {
    if (succeeded(parser.parseOptionalKeyword("fp4")))
      fp4 = true;
    else if (parser.parseKeyword("nested") || parser.parseEqual() || parser.parseInteger(nested))
      return {};
  }
  if (parser.parseGreater())
    return {};
  return getChecked([&] { return parser.emitError(loc); }, parser.getContext(), blockSize, fp4, nested);
}

LogicalResult BlockType::verify(llvm::function_ref<InFlightDiagnostic()> emitError, int64_t blockSize, bool, int64_t nested) {
  if (blockSize < 32 || blockSize > 4096 || !llvm::isPowerOf2_64(static_cast<uint64_t>(blockSize)))
    return emitError() << "C1: the block size is " << blockSize << ", expected a power of two from 32 to 4096";
  if (nested != 0 && nested != 256)
    return emitError() << "C2: nested is " << nested << ", expected 256 or nothing";
  return success();
}

//===--- ops ------------------------------------------------------------------===//

OpFoldResult QuantizeOp::fold(FoldAdaptor) {
  auto inner = getValue().getDefiningOp<DequantizeOp>();
  if (!inner || inner.getValue().getType() != getType())
    return {};
  bool exact = cast<RankedTensorType>(getValue().getType()).getElementType().isF32();
  bool nested = cast<BlockType>(cast<RankedTensorType>(getType()).getElementType()).getNested() != 0;
  return exact && !nested ? inner.getValue() : Value();
}

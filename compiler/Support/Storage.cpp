#include "compiler/Support/Storage.h"

#include "dialects/NF4/IR/NF4Dialect.h"

using namespace mlir;

namespace zp {

std::optional<QuantRecords> quantRecordsOf(Type element) {
  auto block = dyn_cast<nf4::BlockType>(element);
  if (!block)
    return std::nullopt;
  return QuantRecords{block.getFp4() ? QuantType::FP4 : QuantType::NF4, static_cast<uint64_t>(block.getBlockSize()), block.getNested() != 0};
}

int64_t storedBytes(RankedTensorType type) {
  if (auto records = quantRecordsOf(type.getElementType()))
    return static_cast<int64_t>(records->bytesFor(static_cast<uint64_t>(type.getNumElements())));
  return (type.getNumElements() * type.getElementTypeBitWidth() + 7) / 8;
}

int64_t byteOffset(Type element, int64_t index) {
  if (auto records = quantRecordsOf(element)) {
    assert(index % static_cast<int64_t>(records->elements()) == 0 && "slots and slices begin at records");
    return index / static_cast<int64_t>(records->elements()) * static_cast<int64_t>(records->bytes());
  }
  return index * element.getIntOrFloatBitWidth() / 8;
}

int64_t granuleOf(Type element, int64_t bytes) {
  auto records = quantRecordsOf(element);
  return records ? static_cast<int64_t>(records->elements()) : bytes / (element.getIntOrFloatBitWidth() / 8);
}

MemRefType memrefOf(RankedTensorType type) {
  if (quantRecordsOf(type.getElementType()))
    return MemRefType::get({storedBytes(type)}, IntegerType::get(type.getContext(), 8));
  return MemRefType::get(type.getShape(), type.getElementType());
}

} // namespace zp

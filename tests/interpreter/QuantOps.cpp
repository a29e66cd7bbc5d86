// 4-bit elements, by the runtime's codec: what they stand for is defined to the bit.
#include "runtime/quant/block_codec.h"
#include "runtime/quant/nested_scales.h"
#include "tests/interpreter/OpMath.h"

namespace zp::interpreter {

Tensor quantize(const Tensor &value, const QuantRecords &format) {
  rt::BlockFormat blocks{format.type, static_cast<uint32_t>(format.blockSize)};
  std::vector<float> elements(value.data.begin(), value.data.end());
  uint64_t count = elements.size();
  std::vector<uint8_t> packed(rt::packedBytesOf(count));
  std::vector<float> scales(rt::blocksOf(count, format.blockSize));
  rt::quantizeBlocks(blocks, reinterpret_cast<const std::byte *>(elements.data()), DType::F32, count, packed.data(), scales.data());
  if (format.nested) {
    float offset = rt::offsetOfScales(scales);
    std::vector<float> groups(rt::blocksOf(scales.size(), rt::kNestedBlockSize));
    std::vector<uint8_t> codes(scales.size());
    rt::nestScales(scales, offset, 0, groups);
    rt::quantizeScales(scales, offset, 0, codes);
    rt::dequantizeScales(codes, groups, offset, rt::dynamicMap(), 0, scales);
  }
  rt::dequantizeBlocks(blocks, packed.data(), scales.data(), count, DType::F32, elements.data());
  Tensor result(value.shape);
  result.data.assign(elements.begin(), elements.end());
  return result;
}

} // namespace zp::interpreter

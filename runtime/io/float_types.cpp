#include "runtime/io/float_types.h"

namespace zp::rt {

static constexpr FloatType kFloats[] = {{"float32", DType::F32, SafetensorsDtype::F32},
                                        {"bfloat16", DType::BF16, SafetensorsDtype::BF16},
                                        {"float16", DType::F16, SafetensorsDtype::F16}};

const FloatType *findFloat(std::string_view name) {
  for (const FloatType &known : kFloats)
    if (name == known.name)
      return &known;
  return nullptr;
}

const FloatType &floatOf(DType dtype) {
  for (const FloatType &known : kFloats)
    if (known.dtype == dtype)
      return known;
  return kFloats[0];
}

} // namespace zp::rt

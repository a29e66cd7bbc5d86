#include "frontends/huggingface/architectures/Family.h"

namespace zp::fe {

std::span<const Family *const> allFamilies() {
  static constexpr const Family *kAll[] = {&kLlamaFamily, &kMistralFamily, &kQwen2Family,
                                           &kQwen3Family};
  return kAll;
}

} // namespace zp::fe

#include <cassert>

#include "frontends/huggingface/architectures/Family.h"

namespace zp::fe {

std::span<const Family *const> allFamilies() {
  static constexpr const Family *kAll[] = {&kLlamaFamily,      &kMistralFamily, &kQwen2Family, &kQwen3Family, &kFalconFamily,
                                           &kRefinedWebFamily, &kBloomFamily,   &kBartFamily,  &kT5Family,    &kMt5Family};
  return kAll;
}

const Family &familyNamed(const std::string &modelType) {
  for (const Family *family : allFamilies())
    if (modelType == family->modelType)
      return *family;
  assert(false && "importConfig sets the model type");
  return kLlamaFamily;
}

} // namespace zp::fe

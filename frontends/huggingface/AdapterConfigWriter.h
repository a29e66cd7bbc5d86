// The text of adapter_config.json as PEFT's save_pretrained writes it: every key, sorted, two
// blanks, no last newline.
#ifndef ZP_FRONTENDS_HUGGINGFACE_ADAPTERCONFIGWRITER_H
#define ZP_FRONTENDS_HUGGINGFACE_ADAPTERCONFIGWRITER_H

#include "frontends/huggingface/LoraSettings.h"

namespace zp::fe {

/// `lora` as attachAdapters returned it. A set of names, which PEFT writes in no certain order, is
/// sorted. `baseModel` stands where a given file had no base_model_name_or_path.
std::string writeAdapterConfig(const LoraSettings &lora, const std::string &baseModel);

} // namespace zp::fe

#endif // ZP_FRONTENDS_HUGGINGFACE_ADAPTERCONFIGWRITER_H

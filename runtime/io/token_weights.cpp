#include "runtime/io/token_weights.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace zp::rt {

/// The weights of such modules, whatever these are within: T5 and BART share one, Falcon and BLOOM have word_embeddings. Encoder
/// and decoder know the shared one as their own embed_tokens.
static constexpr std::string_view kEmbeddings[] = {"shared.weight", "word_embeddings.weight", "embed_tokens.weight"};

static bool isOf(std::string_view name, std::string_view module) {
  return name == module || (name.ends_with(module) && name[name.size() - module.size() - 1] == '.');
}

bool isTokenWeight(std::string_view name) {
  return isOf(name, kHeadWeight) || std::any_of(std::begin(kEmbeddings), std::end(kEmbeddings), [&](auto module) { return isOf(name, module); });
}

std::string embeddingIn(const ModelWeights &weights) {
  const std::vector<std::string> names = weights.names();
  for (std::string_view module : kEmbeddings)
    for (const std::string &name : names)
      if (isOf(name, module))
        return name;
  return {};
}

bool sameTensor(const WeightTensor &one, const WeightTensor &other) {
  const bool same =
      one.info->dtype == other.info->dtype && one.info->shape == other.info->shape && std::memcmp(one.data(), other.data(), one.info->bytes) == 0;
  for (const WeightTensor *tensor : {&one, &other})
    tensor->file->release(*tensor->info, 0, tensor->info->bytes);
  return same;
}

StatusOr<bool> headDiffers(ModelWeights &weights) {
  const std::string shared = embeddingIn(weights);
  if (shared.empty() || !weights.contains(kHeadWeight))
    return false;
  ZP_ASSIGN_OR_RETURN(WeightTensor head, weights.find(kHeadWeight));
  ZP_ASSIGN_OR_RETURN(WeightTensor embedding, weights.find(shared));
  return !sameTensor(head, embedding);
}

} // namespace zp::rt

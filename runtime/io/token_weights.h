// Weights with a row a token, embeddings and head, by the names that transformers gives them in every family that is read.
#ifndef ZP_RUNTIME_IO_TOKEN_WEIGHTS_H
#define ZP_RUNTIME_IO_TOKEN_WEIGHTS_H

#include <string>
#include <string_view>

#include "runtime/io/model_weights.h"

namespace zp::rt {

inline constexpr const char *kHeadWeight = "lm_head.weight";
inline constexpr const char *kHeadBias = "final_logits_bias"; ///< BART's: a row with a number a token

/// Whether `name` is that of an embedding of tokens, of one of its aliases in an encoder-decoder, or of the head.
bool isTokenWeight(std::string_view name);

/// A model's embedding, not an alias where it has both; empty when it has none.
std::string embeddingIn(const ModelWeights &weights);

/// The same type, shape and bytes. The pages that this has read are given back.
bool sameTensor(const WeightTensor &one, const WeightTensor &other);
/// Whether a model has an embedding and another head: then they aren't tied, whatever the configuration says.
StatusOr<bool> headDiffers(ModelWeights &weights);

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_TOKEN_WEIGHTS_H

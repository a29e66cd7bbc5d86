// What sets a model family apart, as one table. Adding a family: a file beside this one, and a line
// in Families.cpp.
#ifndef ZP_FRONTENDS_HUGGINGFACE_ARCHITECTURES_FAMILY_H
#define ZP_FRONTENDS_HUGGINGFACE_ARCHITECTURES_FAMILY_H

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "frontends/common/ModelSpec.h"

namespace zp::fe {

/// A size that config.json gives.
enum class Width : uint8_t { None, Hidden, Intermediate, Query, KeyValue, HeadDim };

/// Which switch gives a linear its bias.
enum class BiasRule : uint8_t { Never, Always, AttentionBias, MlpBias };

/// EveryLayer: `sliding_window` (class default 4096) holds in all layers. LayerTypes: in the layers
/// that `layer_types` calls sliding_attention, or, without it, from `max_window_layers` on when
/// `use_sliding_window`.
enum class WindowRule : uint8_t { Never, EveryLayer, LayerTypes };

/// A module of a block, in the order of named_modules. Its tensors are `model.layers.N.PATH.weight`
/// and `.bias`.
struct BlockModule {
  const char *path;
  ModuleKind kind;
  Role role = Role::None;
  Width out = Width::None;
  Width in = Width::None;
};

struct Family {
  const char *modelType;
  const char *architecture;
  //--- what a key that config.json lacks stands for; 0: kvHeads = heads, headDim = hidden / heads
  int64_t vocabulary, hidden, intermediate, layers, heads, kvHeads, headDim, maxPositions;
  double rmsEpsilon;
  //---
  BiasRule queryKeyValueBias, outputBias, mlpBias;
  WindowRule window;
  std::span<const BlockModule> block;
};

/// Every family, in the order in which messages list them.
std::span<const Family *const> allFamilies();

extern const Family kLlamaFamily, kMistralFamily, kQwen2Family, kQwen3Family;

/// The block of Llama: Mistral and Qwen2 have the same.
extern const std::span<const BlockModule> kLlamaBlock;

} // namespace zp::fe

#endif // ZP_FRONTENDS_HUGGINGFACE_ARCHITECTURES_FAMILY_H

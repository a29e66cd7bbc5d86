// What sets a model family apart, as one table. Adding a family: a file beside this one, and a line in Families.cpp; then what
// is known of it where this table cannot be included:
//   runtime/tools/zprun/quantize/model_family.cpp              the fields of its configuration class and their defaults
//   runtime/tools/zprun/quantize/{decoder,encoder_decoder}_tensors.cpp   its tensors
//   runtime/io/token_weights.cpp                               what its embeddings are called
//   runtime/trainer/model_flops.cpp                            what config.json calls its sizes; linears that read a source
//   runtime/schema/four_bit_modules.h                          linears that it keeps in floats
//   frontends/data/zpdata/seq2seq.py                           CLASS_DEFAULTS: decoderStart
// Families_test.cpp and test_pairs.py hold the first and the last to allFamilies().
#ifndef ZP_FRONTENDS_HUGGINGFACE_ARCHITECTURES_FAMILY_H
#define ZP_FRONTENDS_HUGGINGFACE_ARCHITECTURES_FAMILY_H

#include <cstdint>
#include <span>

#include "frontends/common/JsonDocument.h"
#include "frontends/common/ModelSpec.h"

namespace zp::fe {

/// A size that config.json gives. Query and KeyValue are all heads of one kind side by side,
/// QueryKeyValue those of all three.
enum class Width : uint8_t { None, Vocabulary, Hidden, Intermediate, Query, KeyValue, QueryKeyValue, HeadDim, Heads, Buckets, Positions };

/// A module, in the order of named_modules. Its tensors are PATH.weight and, of a LayerNorm or
/// where ModelSpec says so, PATH.bias.
struct ModuleRow {
  const char *path; ///< below the section's
  ModuleKind kind;
  Role role = Role::None;
  Width out = Width::None;
  Width in = Width::None;
  bool (*present)(const ModelSpec &) = nullptr; ///< whether a model has it; null: every one
  bool shared = false;                          ///< in a stack's first block alone, for all of them: it lives with the embeddings
};

/// Which ZeRO units a section's modules belong to. Blocks: the next unit for each layer, of the encoder
/// or of the decoder. SourceEnd: that of the encoder's last block.
enum class Place : uint8_t { Embeddings, SourceBlocks, SourceEnd, Blocks, Head };

/// Modules that follow each other. Blocks: repeated as PATH.0, PATH.1 and so on, which have the
/// rows below them; PATH itself is a module too.
struct Section {
  Place place;
  const char *path;
  std::span<const ModuleRow> rows;
};

struct Family {
  const char *modelType;
  const char *architecture;
  Structure structure;
  /// Fills what config.json says; refuses what would silently change the mathematics.
  Status (*read)(const JsonDocument &config, ModelSpec &spec);
  std::span<const Section> sections;
  /// A checkpoint of the model without its head lacks it in front of every name.
  const char *basePrefix;
  /// What PEFT adapts when nobody says.
  std::span<const char *const> defaultTargets;
  /// Other classes that config.json may name: the model without its head, an older name.
  std::span<const char *const> otherArchitectures = {};
  /// What the class takes for a decoder_start_token_id that no file names; -1: nothing.
  int64_t decoderStart = -1;
  /// tie_word_embeddings false gives encoder and decoder tables of their own.
  bool untiesEmbeddings = false;
};

/// Every family, in the order in which messages list them.
std::span<const Family *const> allFamilies();

/// The family of a spec that importConfig made.
const Family &familyNamed(const std::string &modelType);

extern const Family kLlamaFamily, kMistralFamily, kQwen2Family, kQwen3Family;
extern const Family kFalconFamily, kRefinedWebFamily, kBloomFamily;
extern const Family kBartFamily, kT5Family, kMt5Family;

} // namespace zp::fe

#endif // ZP_FRONTENDS_HUGGINGFACE_ARCHITECTURES_FAMILY_H

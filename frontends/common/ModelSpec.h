// A model as the frontends hand it to the builder: plain values, no JSON, no IR.
//
// Filled in steps: ConfigImporter the sizes, ModuleTable the modules, FourBitModules what is in 4
// bits, LoraTargets the adapters, TrainedParameters the marks.
#ifndef ZP_FRONTENDS_COMMON_MODELSPEC_H
#define ZP_FRONTENDS_COMMON_MODELSPEC_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace zp::fe {

/// How the modules are put together: each has a builder of its own.
enum class Structure : uint8_t { RotaryDecoder, FusedDecoder, EncoderDecoder };

enum class Activation : uint8_t { Silu, Relu, Gelu, GeluTanh };

/// Where infinities of f16 are brought down: behind each half of a block, or behind each block of the encoder.
enum class HalfClamps : uint8_t { None, Halves, EncoderBlocks };

enum class ModuleKind : uint8_t { Container, Embedding, Linear, RmsNorm, LayerNorm, Other };

/// What a module does in the forward pass. Other families bring their own.
enum class Role : uint8_t {
  None,
  Embedding,
  EmbeddingAlias, ///< reads the embedding's tensor under a name of its own
  EmbeddingNorm,
  Positions,    ///< learned, a row a place
  RelativeBias, ///< of scores, by bucket of distance
  //--- an encoder's own, among the embeddings
  SourcePositions,
  SourceEmbeddingNorm,
  SourceRelativeBias,
  //---
  InputNorm,
  Query,
  Key,
  Value,
  QueryKeyValue, ///< in one projection, kv head by kv head
  Output,
  QueryNorm,
  KeyNorm,
  //--- attention of a decoder to what the encoder made
  CrossNorm,
  CrossQuery,
  CrossKey,
  CrossValue,
  CrossOutput,
  //---
  PostNorm,
  MlpNorm, ///< of a parallel block whose halves have a norm each
  Gate,
  Up,
  Down,
  FinalNorm,
  SourceFinalNorm, ///< of the encoder; belongs to its last block's unit
  Head
};
inline constexpr size_t kRoles = size_t(Role::Head) + 1;

struct RopeSpec {
  std::vector<float> inverseFrequencies; ///< head_dim / 2
  double scaling = 1.0;                  ///< on cos and sin
};

/// A bias of the scores that grows with the key's position; without slopes there is none.
struct AlibiSpec {
  std::vector<float> slopes; ///< a head each
  double scale = 1.0;        ///< on slope·position
  bool roundBf16 = false;    ///< slope, position and their product are rounded to bf16 first
};

/// T5's bias of scores by distance, in buckets; without buckets there is none.
struct RelativeBiasSpec {
  int64_t buckets = 0, maxDistance = 0;
};

struct ParameterSpec {
  std::string name;       ///< symbol; two modules that share a tensor share the name
  std::string checkpoint; ///< tensor of the base model
  std::vector<int64_t> shape;
  bool trained = false;
  bool decayed = false;
  std::string savedAs;    ///< key in what training writes; empty when frozen
  bool inF32 = false;     ///< whatever the job computes in
  bool ofAdapter = false; ///< the adapter that the job begins with holds it whole, and the base's has another shape

  int64_t elements() const {
    int64_t count = 1;
    for (int64_t extent : shape)
      count *= extent;
    return count;
  }
};

/// How LoRA adapts one linear.
struct AdapterSpec {
  int64_t rank = 0;
  double scaling = 1.0;
  double dropout = 0.0;
  int64_t site = 0;            ///< 1-based place among the targets, in module order: keys the dropout mask
  int64_t generatorOffset = 0; ///< 32-bit outputs of the seeded generator before the first of A's draws
  std::string initial;         ///< uniform, normal or both_uniform
};

struct ModuleSpec {
  std::string path; ///< as PyTorch's named_modules has it
  ModuleKind kind = ModuleKind::Container;
  Role role = Role::None;
  int64_t unit = 0; ///< 0 embeddings, then a block each (an encoder's first), ModelSpec::lastUnit() final norm and head
  std::optional<ParameterSpec> weight, bias;
  bool fourBit = false; ///< the weight is kept in 4 bits
  std::optional<AdapterSpec> adapter;
};

struct ModelSpec {
  std::string architecture; ///< LlamaForCausalLM
  std::string modelType;    ///< llama
  Structure structure = Structure::RotaryDecoder;
  std::string configFile, configText;
  std::vector<std::string> defaultTargets; ///< what PEFT adapts when nobody says

  int64_t vocabulary = 0, hidden = 0, intermediate = 0, layers = 0;
  int64_t encoderLayers = 0; ///< `layers` are the decoder's; 0 without an encoder
  int64_t heads = 0, kvHeads = 0, headDim = 0;
  int64_t maxPositions = 0; ///< 0 for any
  double normEpsilon = 0;
  Activation activation = Activation::Silu;
  double attentionDropout = 0, hiddenDropout = 0; ///< on what attention and the MLP add to the residual stream
  double probabilityDropout = 0;                  ///< on attention's probabilities
  bool tiedHead = false;                          ///< the head reads the embedding's tensor
  bool queryKeyValueBias = false, outputBias = false, mlpBias = false;
  bool fourBit = false;         ///< linears are kept in 4 bits, but for the head and those that aren't marked
  bool fp16 = false;            ///< the job computes in f16
  std::vector<int64_t> windows; ///< a layer each; 0 sees the whole row
  RopeSpec rope;                ///< without frequencies nothing rotates
  AlibiSpec alibi;
  RelativeBiasSpec relativeBias;
  int64_t positionOffset = 0;                                 ///< rows of the table of positions before that of place 0
  int64_t paddingToken = -1;                                  ///< whose row of the embedding gets no gradient; -1: every row gets one
  double embeddingScale = 1, hiddenScale = 1, scoreScale = 0; ///< on embeddings; before the head; on scores, 0: headDim^-0.5
  double activationDropout = 0;                               ///< on the MLP's hidden values
  bool normAfter = false;                                     ///< each half of a block ends in its norm instead of beginning with it
  bool gatedMlp = true;                                       ///< two linears open the MLP, one of them its gate
  bool downInFloats = false;                                  ///< the MLP's second linear stays in f32 where the job is in f16
  HalfClamps halfClamps = HalfClamps::None;
  bool parallelBlocks = false;    ///< attention and MLP both read the block's input
  bool separateNorms = false;     ///< each of the two has a norm of its own
  bool residualAfterNorm = false; ///< the residual stream is what the norm gives, not what it is given

  std::vector<std::string> notes; ///< lines that whoever imports the model should read

  std::vector<ModuleSpec> modules; ///< in the order of named_modules, the root itself left out

  int64_t lastUnit() const { return encoderLayers + layers + 1; }
};

} // namespace zp::fe

#endif // ZP_FRONTENDS_COMMON_MODELSPEC_H

// The ops of the forward pass, each with its unit and with its parameters read right before their
// use.
#ifndef ZP_FRONTENDS_BUILDER_FORWARDBUILDER_H
#define ZP_FRONTENDS_BUILDER_FORWARDBUILDER_H

#include "mlir/IR/Builders.h"

#include "dialects/NN/IR/NNDialect.h"
#include "frontends/common/ModelSpec.h"

namespace zp::fe {

/// Elements of the loss: the sum over the counted labels, and how many of them were predicted.
inline constexpr int64_t kLossSums = 2;

/// Appends at the builder's place. `rows` of `length` tokens; activations are f32 [rows·length,
/// features].
class ForwardBuilder {
public:
  ForwardBuilder(mlir::OpBuilder &builder, const ModelSpec &spec, int64_t rows, int64_t length);

  /// From token ids to the loss, f64 [kLossSums].
  mlir::Value build();

private:
  struct Block { // the modules of one layer, by their roles
    const ModuleSpec *inputNorm = nullptr, *query = nullptr, *key = nullptr, *value = nullptr,
                     *output = nullptr;
    const ModuleSpec *queryNorm = nullptr, *keyNorm = nullptr, *postNorm = nullptr, *gate = nullptr,
                     *up = nullptr, *down = nullptr;
  };
  void sortModules();

  mlir::Value input(llvm::StringRef name, int64_t extent, mlir::Type element);
  mlir::Value read(const ParameterSpec &parameter);
  mlir::Value linear(mlir::Value x, const ModuleSpec &module);
  mlir::Value norm(mlir::Value x, const ModuleSpec &module);
  mlir::Value headNorm(mlir::Value x, const ModuleSpec *module);
  mlir::Value attention(mlir::Value x, const Block &block, int64_t window);
  mlir::Value mlp(mlir::Value x, const Block &block);
  template <typename Op> Op mark(Op op);

  mlir::RankedTensorType matrix(int64_t rows, int64_t columns) const;
  mlir::RankedTensorType vector(int64_t extent) const;
  mlir::DictionaryAttr adapterOf(const ModuleSpec &module) const;

  mlir::OpBuilder &builder;
  const ModelSpec &spec;
  int64_t length, tokens, unit = 0;
  mlir::Value segments, cosine, sine;
  const ModuleSpec *embedding = nullptr, *finalNorm = nullptr, *head = nullptr;
  std::vector<Block> blocks;
};

} // namespace zp::fe

#endif // ZP_FRONTENDS_BUILDER_FORWARDBUILDER_H

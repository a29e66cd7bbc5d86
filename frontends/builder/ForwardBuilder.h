// What the forward passes of all families are made of: each op with its unit, and with its
// parameters read right before their use. A structure has a builder of its own, derived from this.
#ifndef ZP_FRONTENDS_BUILDER_FORWARDBUILDER_H
#define ZP_FRONTENDS_BUILDER_FORWARDBUILDER_H

#include <array>

#include "mlir/IR/Builders.h"

#include "dialects/NN/IR/NNDialect.h"
#include "frontends/common/ModelSpec.h"

namespace zp::fe {

/// Elements of the loss: the sum over the counted labels, and how many of them were predicted.
inline constexpr int64_t kLossSums = 2;

/// From token ids to the loss, f64 [kLossSums], by the builder of the spec's structure; appends at
/// the builder's place. `rows` of `length` tokens, of `sourceLength` more for an encoder; activations are
/// f32 [rows·length, features], an encoder's [rows·sourceLength, features].
mlir::Value buildForward(mlir::OpBuilder &builder, const ModelSpec &spec, int64_t rows, int64_t length, int64_t sourceLength);

/// The modules of one ZeRO unit by what they do.
class UnitModules {
public:
  const ModuleSpec &operator[](Role role) const { return *slots[size_t(role)]; }
  /// Null when the model has none.
  const ModuleSpec *find(Role role) const { return slots[size_t(role)]; }
  void put(const ModuleSpec &module) { slots[size_t(module.role)] = &module; }

private:
  std::array<const ModuleSpec *, kRoles> slots = {};
};

class ForwardBuilder {
protected:
  ForwardBuilder(mlir::OpBuilder &builder, const ModelSpec &spec, int64_t rows, int64_t length);

  /// The tokens of one side of an attention, row by row.
  struct Side {
    int64_t length;
    mlir::Value segments;
  };
  /// Who sees whom by place, and what is added to the scores.
  struct Sight {
    bool causal = true;
    int64_t window = 0;
    mlir::Value bias = {};
    nn::BiasKind biasKind = nn::BiasKind::ByKey;
  };

  /// Goes to a unit: the ops made from here on are its.
  const UnitModules &enter(int64_t unit);

  /// input_ids, labels, position_ids and segment_ids of the rows, and the scalars for dropout.
  void declareInputs();
  mlir::Value input(llvm::StringRef name, int64_t extent, mlir::Type element);
  mlir::Value read(const ParameterSpec &parameter);
  /// Rows ids + offset of the module's table.
  mlir::Value embed(mlir::Value ids, const ModuleSpec &module, int64_t offset = 0);
  mlir::Value linear(mlir::Value x, const ModuleSpec &module);
  mlir::Value rmsNorm(mlir::Value x, const ModuleSpec &module);
  mlir::Value layerNorm(mlir::Value x, const ModuleSpec &module);
  /// Of either kind, as the module is.
  mlir::Value norm(mlir::Value x, const ModuleSpec &module);
  /// By the spec's activation.
  mlir::Value activate(mlir::Value x);
  mlir::Value gate(mlir::Value gate, mlir::Value up);
  /// x itself where the probability is 0. Each call is a site of its own, behind those of the adapters.
  mlir::Value dropout(mlir::Value x, double probability);
  mlir::Value scale(mlir::Value x, double factor); ///< x itself where the factor is 1
  mlir::Value residual(mlir::Value base, mlir::Value change);
  /// Without the infinities of f16, where the job computes in that.
  mlir::Value clampHalf(mlir::Value x);
  /// One linear and its activation, or two and the gate; then the linear that closes it.
  mlir::Value mlp(mlir::Value x, const UnitModules &block);
  /// The tables that `rotate` uses, from position_ids.
  void makeRopeTables();
  mlir::Value rotate(mlir::Value heads);
  /// ALiBi's bias of the scores, from position_ids.
  mlir::Value alibiTable();
  mlir::Value attention(mlir::Value query, mlir::Value key, mlir::Value value, Side queries, Side keys, Sight sight);
  Side ownTokens() const { return {length, segments}; }
  /// The loss by the head of the unit that the builder is in.
  mlir::Value loss(mlir::Value x, const ModuleSpec &head);

  template <typename Op, typename... Args> Op make(Args &&...args) {
    auto op = Op::create(builder, builder.getUnknownLoc(), std::forward<Args>(args)...);
    op->setAttr(nn::NNDialect::kUnitAttr, builder.getI64IntegerAttr(unit));
    return op;
  }
  mlir::RankedTensorType matrix(int64_t rows, int64_t columns) const;
  mlir::RankedTensorType vector(int64_t extent) const;

  mlir::OpBuilder &builder;
  const ModelSpec &spec;
  const int64_t length, tokens;
  mlir::Value ids, labels, positions, segments, scalars; // after declareInputs

private:
  mlir::DictionaryAttr adapterOf(const ModuleSpec &module) const;
  /// The first of `count` sites of dropout that are nobody else's.
  int64_t takeSites(int64_t count);

  int64_t unit = 0, lastSite = 0;
  std::vector<UnitModules> units;
  mlir::Value cosine, sine;
};

} // namespace zp::fe

#endif // ZP_FRONTENDS_BUILDER_FORWARDBUILDER_H

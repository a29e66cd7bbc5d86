// BART and T5: an encoder whose tokens see each other, a decoder that sees its own past and all of what the encoder made.
#ifndef ZP_FRONTENDS_BUILDER_ENCODERDECODERBUILDER_H
#define ZP_FRONTENDS_BUILDER_ENCODERDECODERBUILDER_H

#include "frontends/builder/ForwardBuilder.h"

namespace zp::fe {

class EncoderDecoderBuilder : ForwardBuilder {
public:
  EncoderDecoderBuilder(mlir::OpBuilder &builder, const ModelSpec &spec, int64_t rows, int64_t length, int64_t sourceLength)
      : ForwardBuilder(builder, spec, rows, length), rows(rows), sourceLength(sourceLength) {}
  mlir::Value build();

private:
  /// The four linears of one attention.
  struct Projections {
    const ModuleSpec &query, &key, &value, &output;
  };

  void declareSourceInputs();
  mlir::Value embedding(mlir::Value ids, mlir::Value positions, const UnitModules &front, Role places, Role normRole);
  /// The bias of a stack's own attention, null where the family has none.
  mlir::Value relativeBias(const ModuleSpec *table, int64_t length, bool bidirectional);
  mlir::Value attend(mlir::Value x, mlir::Value memory, const Projections &projections, Side queries, Side keys, Sight sight);
  /// One half of a block with its norm, its dropout and the stream that it is added to.
  template <typename Half> mlir::Value around(mlir::Value x, const ModuleSpec &normModule, Half &&half);
  mlir::Value encoderBlock(mlir::Value x, const UnitModules &block, mlir::Value bias);
  mlir::Value decoderBlock(mlir::Value x, mlir::Value memory, const UnitModules &block, mlir::Value bias);

  const int64_t rows, sourceLength;
  mlir::Value sourceIds, sourcePositions, sourceSegments; // after declareSourceInputs
};

} // namespace zp::fe

#endif // ZP_FRONTENDS_BUILDER_ENCODERDECODERBUILDER_H

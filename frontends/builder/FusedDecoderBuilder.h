// Falcon and BLOOM: one projection for query, key and value, LayerNorm, one activation, heads that are rotated or biased by
// distance (ALiBi), blocks whose halves follow each other or stand side by side.
#ifndef ZP_FRONTENDS_BUILDER_FUSEDDECODERBUILDER_H
#define ZP_FRONTENDS_BUILDER_FUSEDDECODERBUILDER_H

#include "frontends/builder/ForwardBuilder.h"

namespace zp::fe {

class FusedDecoderBuilder : ForwardBuilder {
public:
  FusedDecoderBuilder(mlir::OpBuilder &builder, const ModelSpec &spec, int64_t rows, int64_t length) : ForwardBuilder(builder, spec, rows, length) {}
  mlir::Value build();

private:
  mlir::Value selfAttention(mlir::Value x, const UnitModules &block);
  mlir::Value parallelBlock(mlir::Value x, const UnitModules &block);
  mlir::Value sequentialBlock(mlir::Value x, const UnitModules &block);

  mlir::Value alibi; // null where heads are rotated
};

} // namespace zp::fe

#endif // ZP_FRONTENDS_BUILDER_FUSEDDECODERBUILDER_H

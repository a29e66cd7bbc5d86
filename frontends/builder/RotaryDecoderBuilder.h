// Llama, Mistral and Qwen: rotated heads, RMSNorm before each half of a block, a gated SiLU.
#ifndef ZP_FRONTENDS_BUILDER_ROTARYDECODERBUILDER_H
#define ZP_FRONTENDS_BUILDER_ROTARYDECODERBUILDER_H

#include "frontends/builder/ForwardBuilder.h"

namespace zp::fe {

class RotaryDecoderBuilder : ForwardBuilder {
public:
  RotaryDecoderBuilder(mlir::OpBuilder &builder, const ModelSpec &spec, int64_t rows, int64_t length) : ForwardBuilder(builder, spec, rows, length) {}
  mlir::Value build();

private:
  mlir::Value headNorm(mlir::Value x, const ModuleSpec *module);
  mlir::Value selfAttention(mlir::Value x, const UnitModules &block, int64_t window);
};

} // namespace zp::fe

#endif // ZP_FRONTENDS_BUILDER_ROTARYDECODERBUILDER_H

// Which builder a structure has.
#include "frontends/builder/EncoderDecoderBuilder.h"
#include "frontends/builder/FusedDecoderBuilder.h"
#include "frontends/builder/RotaryDecoderBuilder.h"

namespace zp::fe {

mlir::Value buildForward(mlir::OpBuilder &builder, const ModelSpec &spec, int64_t rows, int64_t length, int64_t sourceLength) {
  switch (spec.structure) {
  case Structure::RotaryDecoder:
    return RotaryDecoderBuilder(builder, spec, rows, length).build();
  case Structure::FusedDecoder:
    return FusedDecoderBuilder(builder, spec, rows, length).build();
  case Structure::EncoderDecoder:
    return EncoderDecoderBuilder(builder, spec, rows, length, sourceLength).build();
  }
  llvm_unreachable("a structure without a builder");
}

} // namespace zp::fe

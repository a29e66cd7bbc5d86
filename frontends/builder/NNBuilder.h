// ModelSpec and settings to a module of the nn dialect: parameters, the loss state and one
// train_step, whole tensors, f32. The only place of the frontends that makes IR.
//
// The module carries zp.settings (every setting by its name), zp.model_config (config.json's text),
// zp.adapter_config (adapter_config.json's text, absent for full-parameter training), zp.vocab_size
// and zp.model_path. Every op of the program has nn.unit; every linear has `module`, `adapter` when
// LoRA targets it, and `nf4.skip` when it stays in floats where the others are kept in 4 bits. A parameter that stays in f32
// where the job computes in f16 is `in_f32`.
#ifndef ZP_FRONTENDS_BUILDER_NNBUILDER_H
#define ZP_FRONTENDS_BUILDER_NNBUILDER_H

#include <string>

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include "frontends/common/ModelSpec.h"
#include "runtime/schema/settings.h"

namespace zp::fe {

/// What is recorded beside the model.
struct ModuleRecord {
  std::string modelPath;
  std::string adapterConfig; ///< empty for full-parameter training
};

/// The spec must have passed verifySpec. The result verifies; null is a bug, reported through the
/// context's diagnostics.
mlir::OwningOpRef<mlir::ModuleOp> buildModule(mlir::MLIRContext &context, const ModelSpec &spec, const JobSettings &settings,
                                              const ModuleRecord &record);

/// Tokens of a chunk of logits: their f32 values take 32 MiB at most, but 64 tokens at least, and
/// `tokens` at most.
int64_t crossEntropyChunk(int64_t vocabulary, int64_t tokens);

} // namespace zp::fe

#endif // ZP_FRONTENDS_BUILDER_NNBUILDER_H

#ifndef ZP_DIALECTS_NN_IR_NNENUMS_TD
#define ZP_DIALECTS_NN_IR_NNENUMS_TD

include "mlir/IR/EnumAttr.td"

def NN_ProgramKind : I32EnumAttr<"ProgramKind", "which part of a job a program is", [
    I32EnumAttrCase<"TrainStep", 0, "train_step">, I32EnumAttrCase<"ApplyGradients", 1, "apply_gradients">,
    I32EnumAttrCase<"Evaluate", 2, "evaluate">, I32EnumAttrCase<"Logits", 3, "logits">, I32EnumAttrCase<"Init", 4, "init">,
    I32EnumAttrCase<"Prefill", 5, "prefill">, I32EnumAttrCase<"Decode", 6, "decode">,
    I32EnumAttrCase<"Encode", 7, "encode">, I32EnumAttrCase<"Reorder", 8, "reorder">]> {
  let cppNamespace = "::zp::nn";
}

def NN_BiasKind : I32EnumAttr<"BiasKind", "what an attention's bias depends on, beside the head", [
    I32EnumAttrCase<"ByKey", 0, "by_key">, I32EnumAttrCase<"ByDistance", 1, "by_distance">]> {
  let cppNamespace = "::zp::nn";
}

def NN_Initial : I32EnumAttr<"Initial", "where a parameter's first values come from", [
    I32EnumAttrCase<"Checkpoint", 0, "checkpoint">, I32EnumAttrCase<"Zero", 1, "zero">,
    I32EnumAttrCase<"Uniform", 2, "uniform">, I32EnumAttrCase<"Normal", 3, "normal">]> {
  let cppNamespace = "::zp::nn";
}

// Numbered as runtime/schema/activations.h has them.
def NN_Activation : I32EnumAttr<"Activation", "a function of single elements", [
    I32EnumAttrCase<"Relu", 0, "relu">, I32EnumAttrCase<"Gelu", 1, "gelu">, I32EnumAttrCase<"GeluTanh", 2, "gelu_tanh">]> {
  let cppNamespace = "::zp::nn";
}

#endif // ZP_DIALECTS_NN_IR_NNENUMS_TD

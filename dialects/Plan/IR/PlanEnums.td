// The plan file's enumerations, as attributes: values are those of runtime/schema/plan.fbs.
#ifndef ZP_DIALECTS_PLAN_IR_PLANENUMS_TD
#define ZP_DIALECTS_PLAN_IR_PLANENUMS_TD

include "mlir/IR/EnumAttr.td"

class Plan_Enum<string name, string summary, list<I32EnumAttrCase> cases> : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::zp::plan";
}
def Plan_Tier : Plan_Enum<"Tier", "which memory a buffer lives in", [
    I32EnumAttrCase<"Device", 0, "device">, I32EnumAttrCase<"Pinned", 1, "pinned">, I32EnumAttrCase<"Host", 2, "host">,
    I32EnumAttrCase<"Disk", 3, "disk">]>;
def Plan_BufferKind : Plan_Enum<"BufferKind", "what a buffer holds", [
    I32EnumAttrCase<"Weights", 0, "weights">, I32EnumAttrCase<"Adapters", 1, "adapters">, I32EnumAttrCase<"Gradients", 2, "gradients">,
    I32EnumAttrCase<"Optimizer", 3, "optimizer">, I32EnumAttrCase<"Checkpoints", 4, "checkpoints">,
    I32EnumAttrCase<"Gathered", 5, "gathered">, I32EnumAttrCase<"Working", 6, "working">,
    I32EnumAttrCase<"Communication", 7, "communication">, I32EnumAttrCase<"Cache", 8, "cache">,
    I32EnumAttrCase<"Dequantized", 9, "dequantized">]>;
def Plan_EntryKind : Plan_Enum<"EntryKind", "what an entry point is for", [
    I32EnumAttrCase<"Init", 0, "init">, I32EnumAttrCase<"TrainStep", 1, "train_step">,
    I32EnumAttrCase<"ApplyGradients", 2, "apply_gradients">, I32EnumAttrCase<"Evaluate", 3, "evaluate">,
    I32EnumAttrCase<"Logits", 4, "logits">, I32EnumAttrCase<"Prefill", 5, "prefill">, I32EnumAttrCase<"Decode", 6, "decode">,
    I32EnumAttrCase<"Encode", 7, "encode">, I32EnumAttrCase<"Reorder", 8, "reorder">]>;

#endif // ZP_DIALECTS_PLAN_IR_PLANENUMS_TD

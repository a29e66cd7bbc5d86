#include "frontends/huggingface/TrainedParameters.h"

#include <gtest/gtest.h>

using namespace zp::fe;

// transformers.Trainer.get_decay_parameter_names: forbidden_name_patterns, on lower-cased names.
TEST(TrainedParameters, decayGroup) {
  for (const char *name :
       {"model.embed_tokens.weight", "lm_head.weight", "model.layers.0.self_attn.q_proj.weight", "model.normal.weight", "model.enorm.weight"})
    EXPECT_TRUE(isDecayed(name)) << name;
  for (const char *name : {"model.norm.weight", "norm.weight", "model.layers.0.input_layernorm.weight", "model.layers.0.self_attn.q_norm.weight",
                           "model.layers.0.self_attn.q_proj.bias", "model.RMSNorm_1.weight", "x.LayerNorm.weight"})
    EXPECT_FALSE(isDecayed(name)) << name;
}

// As DeepSpeed's own optimizer, which has one group of parameters.
TEST(TrainedParameters, decayOfEverything) {
  ModelSpec spec;
  ModuleSpec norm;
  norm.path = "model.norm";
  norm.kind = ModuleKind::LayerNorm;
  norm.weight.emplace().name = "model.norm.weight";
  spec.modules.push_back(norm);
  decayEverything(spec);
  EXPECT_FALSE(spec.modules[0].weight->decayed) << "is not trained";
  trainEverything(spec);
  EXPECT_FALSE(spec.modules[0].weight->decayed);
  decayEverything(spec);
  EXPECT_TRUE(spec.modules[0].weight->decayed);
}

// PeftModel.print_trainable_parameters on Llama 2 7B with r 8 on q and v.
TEST(TrainedParameters, summaryReadsAsPefts) {
  EXPECT_EQ(summarise({4194304, 6742609920}), "trainable params: 4,194,304 || all params: 6,742,609,920 || trainable%: 0.0622");
  EXPECT_EQ(summarise({123, 999}), "trainable params: 123 || all params: 999 || trainable%: 12.3123");
  EXPECT_EQ(summarise({1000, 1000}), "trainable params: 1,000 || all params: 1,000 || trainable%: 100.0000");
}

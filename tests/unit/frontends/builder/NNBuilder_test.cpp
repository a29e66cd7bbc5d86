#include "frontends/builder/NNBuilder.h"

#include "dialects/NN/IR/NNDialect.h"
#include "frontends/huggingface/ConfigImporter.h"
#include "frontends/huggingface/FourBitModules.h"
#include "frontends/huggingface/ModuleTable.h"
#include "mlir/IR/MLIRContext.h"

#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;
using namespace zp::fe::test;

// The text of modules is held by tests/lit/tools/zpc/import*.test.

TEST(NNBuilder, chunkKeepsLogitsWithin32MiB) {
  EXPECT_EQ(crossEntropyChunk(32000, 1 << 20), 256); // 262 fit
  EXPECT_LE(crossEntropyChunk(32000, 1 << 20) * 32000 * 4, 32 << 20);
  EXPECT_EQ(crossEntropyChunk(1 << 20, 1 << 20), 64); // never fewer
  EXPECT_EQ(crossEntropyChunk(32000, 10), 10);        // never more than there are
}

TEST(NNBuilder, linearsThatStayInFloatsAreMarked) {
  ModelSpec spec = *importConfig(document(R"({"model_type": "llama", "num_hidden_layers": 1, "hidden_size": 8,
                                              "intermediate_size": 12, "num_attention_heads": 2})"));
  makeModules(spec);
  JobSettings settings;
  settings.max_length = 16;
  mlir::MLIRContext context;
  auto marked = [&] {
    std::vector<std::string> modules;
    auto module = buildModule(context, spec, settings, {"dir", ""});
    EXPECT_TRUE(module);
    module->walk([&](nn::LinearOp op) {
      if (op->hasAttr("nf4.skip"))
        modules.push_back(op.getModule()->str());
    });
    return modules;
  };
  EXPECT_TRUE(marked().empty()); // nothing is in 4 bits
  ASSERT_TRUE(markFourBit(spec, {"o_proj"}, "", true).ok());
  EXPECT_EQ(marked(), std::vector<std::string>{"model.layers.0.self_attn.o_proj"});
}

TEST(NNBuilder, everySettingIsRecorded) {
  ModelSpec spec = *importConfig(document(
      R"({"model_type": "qwen3", "num_hidden_layers": 2, "hidden_size": 8, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 6})"));
  makeModules(spec);
  JobSettings settings;
  settings.max_length = 16;
  settings.learning_rate = 0.125;
  mlir::MLIRContext context;
  auto module = buildModule(context, spec, settings, {"dir", "{}"});
  ASSERT_TRUE(module);
  auto recorded = module->getOperation()->getAttrOfType<mlir::DictionaryAttr>("zp.settings");
  size_t count = 0;
  settings.forEach([&](const char *name, const auto &, const char *) {
    EXPECT_TRUE(recorded.contains(name)) << name;
    ++count;
  });
  EXPECT_EQ(recorded.size(), count);
  EXPECT_EQ(recorded.getAs<mlir::FloatAttr>("learning_rate").getValueAsDouble(), 0.125);
  EXPECT_EQ(recorded.getAs<mlir::IntegerAttr>("max_length").getInt(), 16);
  EXPECT_EQ(module->getOperation()->getAttrOfType<mlir::StringAttr>("zp.model_path").getValue(), "dir");

  // Every op of the program says its unit, and they don't go back.
  int64_t last = 0;
  module->walk([&](nn::ProgramOp program) {
    for (mlir::Operation &op : program.getBody().front()) {
      auto unit = op.getAttrOfType<mlir::IntegerAttr>(nn::NNDialect::kUnitAttr);
      ASSERT_TRUE(unit);
      EXPECT_GE(unit.getInt(), last);
      last = unit.getInt();
    }
  });
  EXPECT_EQ(last, 3);
}

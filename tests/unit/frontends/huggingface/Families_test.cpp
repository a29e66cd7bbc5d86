// What the rest of the tree knows of the families that are imported.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "frontends/huggingface/architectures/Family.h"
#include "runtime/tools/zprun/quantize/model_family.h"

using namespace zp;

TEST(Families, zprunQuantizeKnowsEveryOne) {
  for (const fe::Family *family : fe::allFamilies()) {
    // Falcon before transformers had it: no class of its own, whose fields could be declared.
    if (std::string(family->architecture) == "RWForCausalLM")
      continue;
    const rt::ModelFamily *known = rt::findFamily(family->architecture);
    ASSERT_NE(known, nullptr) << family->architecture;
    EXPECT_STREQ(known->modelType, family->modelType) << family->architecture;
    const int64_t start = nlohmann::json::parse(known->fields).value("decoder_start_token_id", int64_t{-1});
    EXPECT_EQ(start, family->decoderStart) << family->architecture;
  }
}

TEST(Families, namesOfTheModelWithoutItsHeadAreTheSameToBoth) {
  for (const fe::Family *family : fe::allFamilies())
    for (const char *name : family->otherArchitectures) {
      const rt::ModelFamily *known = rt::findFamily(name);
      ASSERT_NE(known, nullptr) << name;
      EXPECT_STREQ(known->architecture, family->architecture) << name;
    }
}

#include "frontends/huggingface/RopeFrequencies.h"

#include <cmath>

#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;
using namespace zp::fe::test;

// fixtures/rope_cases.json is what transformers computes.
TEST(RopeFrequencies, equalTheReference) {
  for (const auto &reference : fixture("rope_cases.json")) {
    nlohmann::json config = {{"rope_parameters", reference["rope_parameters"]}};
    StatusOr<RopeSpec> rope = importRope(document(config.dump()), reference["head_dim"], reference["max_position_embeddings"]);
    ASSERT_TRUE(rope.ok()) << reference["name"] << rope.status().toString();
    ASSERT_EQ(rope->inverseFrequencies.size(), reference["inverse_frequencies"].size());
    for (size_t i = 0; i < rope->inverseFrequencies.size(); ++i) {
      float expected = float(reference["inverse_frequencies"][i].get<double>());
      // Two roundings of the power apart at most; a wrong formula is off by 1e-3 and more.
      EXPECT_NEAR(rope->inverseFrequencies[i], expected, 4e-7 * expected) << reference["name"] << " " << i;
    }
    EXPECT_NEAR(rope->scaling, reference["scaling"].get<double>(), 1e-12) << reference["name"];
  }
}

TEST(RopeFrequencies, spellingsOfTransformers4) {
  auto first = [](const std::string &text) { return importRope(document(text), 8, 64)->inverseFrequencies[1]; };
  float plain = first(R"({"rope_theta": 100.0, "rope_scaling": null})"); // 100^(-2/8)
  EXPECT_NEAR(plain, std::pow(100.0, -0.25), 1e-7);
  EXPECT_EQ(first(R"({"rope_parameters": {"rope_type": "default", "rope_theta": 100.0}})"), plain);
  EXPECT_EQ(first(R"({"rope_theta": 100.0, "rope_scaling": {"type": "linear", "factor": 4}})"), plain / 4);
  EXPECT_EQ(first(R"({"rope_theta": 100.0, "rope_scaling": {"rope_type": "dynamic", "factor": 4}})"),
            plain); // rows never exceed the positions
  EXPECT_NEAR(first("{}"), std::pow(10000.0, -0.25), 1e-7);
}

// Somebody follows a model card and adds the older key to what transformers 5 has saved.
TEST(RopeFrequencies, anAddedRopeScalingWins) {
  auto first = [](const std::string &scaling) {
    return importRope(document(R"({"rope_parameters": {"rope_type": "default", "rope_theta": 100.0}, "rope_scaling": )" + scaling + "}"), 8, 64)
        ->inverseFrequencies[1];
  };
  EXPECT_NEAR(first("null"), std::pow(100.0, -0.25), 1e-7);
  EXPECT_NEAR(first("{}"), std::pow(100.0, -0.25), 1e-7);
  EXPECT_NEAR(first(R"({"rope_type": "linear", "factor": 4})"), std::pow(10000.0, -0.25) / 4, 1e-7); // its theta goes, too
  EXPECT_NEAR(first(R"({"rope_type": "linear", "factor": 4, "rope_theta": 100.0})"), std::pow(100.0, -0.25) / 4, 1e-7);
}

TEST(RopeFrequencies, missingOriginalPositionsAreTheModels) {
  auto scaled = [](const std::string &more, int64_t positions) {
    return importRope(document(R"({"rope_theta": 10.0, )" + more +
                               R"("rope_scaling": {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}})"),
                      16, positions)
        ->inverseFrequencies;
  };
  EXPECT_EQ(scaled("", 32), scaled(R"("original_max_position_embeddings": 32, )", 99));
  EXPECT_NE(scaled("", 32), scaled("", 8));
}

TEST(RopeFrequencies, errors) {
  auto rope = [](const std::string &text) { return importRope(document(text), 8, 64); };
  EXPECT_ERROR(rope("{\n\"rope_scaling\": {\"type\": \"su\", \"factor\": 2}}"), UnknownArchitecture,
               "config.json:2: rope_scaling.type: is \"su\", expected default, linear, llama3, "
               "yarn or dynamic");
  EXPECT_ERROR(rope(R"({"rope_scaling": {"rope_type": "longrope"}})"), UnknownArchitecture, "rope_scaling.rope_type: is \"longrope\"");
  EXPECT_ERROR(rope(R"({"rope_scaling": {"rope_type": "linear"}})"), Json, "rope_scaling.factor: is missing");
  EXPECT_ERROR(rope(R"({"rope_scaling": {"rope_type": "linear", "factor": 0}})"), Json, "rope_scaling.factor: is 0");
  EXPECT_ERROR(rope(R"({"rope_scaling": {"rope_type": "llama3", "factor": 8}})"), Json, "rope_scaling.low_freq_factor: is missing");
  EXPECT_ERROR(rope(R"({"rope_parameters": {"full_attention": {"rope_type": "default"}}})"), UnknownArchitecture,
               "rope_parameters.full_attention: is an object");
  EXPECT_ERROR(rope(R"({"rope_theta": -1})"), Json, "rope_theta: is -1");
  EXPECT_ERROR(rope(R"({"rope_scaling": 4})"), Json, "rope_scaling: is 4, expected an object");
  EXPECT_ERROR(rope(R"({"rope_parameters": {"partial_rotary_factor": 0.5}})"), UnknownArchitecture, "partial_rotary_factor");
}

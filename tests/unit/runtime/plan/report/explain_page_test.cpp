#include "runtime/plan/report/explain_page.h"

#include <nlohmann/json.hpp>

#include "tests/unit/runtime/plan/report/built_plan.h"

namespace zp::rt {
namespace {

using namespace test;

/// What the page draws.
nlohmann::json dataOf(const std::string &page) {
  const std::string open = R"(<script type="application/json" id="plan">)";
  size_t begin = page.find(open) + open.size();
  return nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin), nullptr, false);
}

TEST(ExplainPage, HoldsWhatItDraws) {
  BuiltPlan built{SamplePlan(2)};
  nlohmann::json data = dataOf(explainPage(built.plan(), "plan.fb"));
  EXPECT_EQ(data["spaces"][0]["bytes"], 1024);
  EXPECT_EQ(data["spaces"][0]["entry"], 1);
  EXPECT_EQ(data["buffers"].size(), 7u);
  EXPECT_EQ(data["buffers"][1].dump(), R"(["gathered",6,0,256,512,false])");
  EXPECT_EQ(data["entries"][1]["name"], "train_step");
  EXPECT_EQ(data["entries"][1]["lives"][0].dump(), "[1,0,3]"); // the gathered buffer
  EXPECT_EQ(data["entries"][1]["flights"][0].dump(), R"([0,2,"unit0.frozen",512,0])");
  EXPECT_EQ(data["ops"][data["entries"][1]["ops"][3].get<size_t>()], "embedding");
  EXPECT_EQ(data["entries"][1]["streams"].dump(), "[1,1,0,0,0,0,0]");
}

TEST(ExplainPage, NeedsNothingFromOutside) {
  BuiltPlan built{SamplePlan(2)};
  std::string page = explainPage(built.plan(), "plan.fb");
  for (const char *outside : {"http:", "https:", "src=", "href=", "@import", "url(", "fetch(", "XMLHttpRequest", "@DATA@", "@TITLE@"})
    EXPECT_EQ(page.find(outside), std::string::npos) << outside;
}

TEST(ExplainPage, NamesCannotBreakOut) {
  SamplePlan spec(2);
  spec.buffers[1].name = "</script><b>\"";
  BuiltPlan built{spec};
  std::string page = explainPage(built.plan(), "<i>&");
  EXPECT_EQ(page.find("<b>"), std::string::npos);
  EXPECT_EQ(page.find("<i>"), std::string::npos);
  EXPECT_EQ(dataOf(page)["buffers"][1][0], "</script><b>\"");
}

} // namespace
} // namespace zp::rt

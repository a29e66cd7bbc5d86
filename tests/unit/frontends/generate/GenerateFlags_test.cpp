#include "frontends/generate/GenerateFlags.h"

#include "tests/unit/frontends/support.h"

namespace zp::fe {
namespace {

GenerateArguments parsed(std::vector<std::string> words) {
  words.insert(words.begin(), {"--model", "m", "--prompt", "p"});
  StatusOr<GenerateArguments> arguments = parseGenerateFlags(words);
  EXPECT_TRUE(arguments.ok()) << arguments.status().toString();
  return arguments.ok() ? *arguments : GenerateArguments();
}

TEST(GenerateFlags, truthIsSaidAsInTheOtherTools) {
  EXPECT_TRUE(parsed({"--report_memory", "True"}).reportMemory);
  EXPECT_TRUE(parsed({"--json", "1"}).json);
  EXPECT_TRUE(parsed({"--quiet"}).quiet);
  EXPECT_FALSE(parsed({"--json", "No"}).json);
  EXPECT_EQ(parsed({"--stream=YES"}).stream, true);
  EXPECT_EQ(parsed({"--stream", "f"}).stream, false);
  EXPECT_EQ(parsed({}).stream, std::nullopt);
  EXPECT_ERROR(parseGenerateFlags({"--json", "perhaps"}), Usage, "--json: is 'perhaps', expected true or false; write --json VALUE");
}

TEST(GenerateFlags, textsMayBeginWithADash) {
  using Words = std::vector<std::string>;
  const GenerateArguments arguments =
      parsed({"--stop_strings", "---", "--stop_strings=--quiet", "--input_template", "- {text}", "--zero_stage", "3"});
  EXPECT_EQ(arguments.runFlags, (Words{"--stop_strings=---", "--stop_strings=--quiet"}));
  EXPECT_EQ(arguments.dataFlags, Words{"--input_template=- {text}"});
  EXPECT_EQ(arguments.importFlags, Words{"--zero_stage=3"});
  EXPECT_TRUE(arguments.stopStrings);
}

TEST(GenerateFlags, aDecodersFirstTokenIsForItsRowsAndForTheRun) {
  const GenerateArguments arguments = parsed({"--decoder_start_token_id", "7"});
  EXPECT_EQ(arguments.runFlags, std::vector<std::string>{"--decoder_start_token_id=7"});
  EXPECT_EQ(arguments.dataFlags, arguments.runFlags);
}

TEST(GenerateFlags, unknownOnesNameTheNearest) {
  EXPECT_ERROR(parseGenerateFlags({"--repot_memory"}), UnknownKey, "--repot_memory: is not a flag of zp generate");
  EXPECT_ERROR(parseGenerateFlags({"--repot_memory"}), UnknownKey, "did you mean --report_memory");
}

} // namespace
} // namespace zp::fe

#include "frontends/generate/GenerateCommand.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "frontends/generate/GenerateFlags.h"
#include "frontends/huggingface/ConfigImporter.h"
#include "frontends/huggingface/architectures/Family.h"
#include "frontends/process/Process.h"
#include "frontends/process/Tools.h"

namespace zp::fe {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int64_t kNewTokens = 64; // of a prompt, when neither flags nor the model say how many
constexpr int64_t kMostAtOnce = 8; // prompts on a rank

/// A folder that ends with the object.
class Scratch {
public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "zp-generate-XXXXXX").string();
    if (::mkdtemp(name.data()))
      path = name;
  }
  ~Scratch() {
    std::error_code ignored;
    if (!path.empty())
      fs::remove_all(path, ignored);
  }
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;
  std::string file(const char *name) const { return path + "/" + name; }
  std::string path;
};

std::string contentOf(const std::string &path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

class Job {
public:
  Job(const GenerateArguments &arguments, const Tools &tools, const Scratch &scratch) : arguments(arguments), tools(tools), scratch(scratch) {}

  StatusOr<int> run() {
    ZP_RETURN_IF_ERROR(readModel());
    ZP_RETURN_IF_ERROR(writePrompts());
    const std::string prompts = scratch.file("prompts.safetensors"), plan = scratch.file("plan.fb"), made = scratch.file("out.jsonl");
    ZP_ASSIGN_OR_RETURN(int code, step(promptWords(prompts), scratch.file("prompts.json")));
    if (code)
      return code;
    ZP_RETURN_IF_ERROR(readReport());
    ZP_ASSIGN_OR_RETURN(code, step(importWords(), scratch.file("import.log")));
    if (!code) {
      ZP_ASSIGN_OR_RETURN(code, step({tools.path("zpc"), "compile", scratch.file("model.mlir"), "-o", plan}, scratch.file("compile.log")));
    }
    if (!code && streams())
      return stream(runWords(plan, prompts, made));
    if (!code) {
      ZP_ASSIGN_OR_RETURN(code, step(runWords(plan, prompts, made), scratch.file("run.log")));
      if (arguments.reportMemory)
        std::fputs(contentOf(scratch.file("run.log")).c_str(), stderr);
    }
    if (!code) {
      std::vector<std::string> words = {tools.path("zpdata"), "text", made};
      if (arguments.json)
        words.insert(words.end(), {"--json", "true"});
      ZP_ASSIGN_OR_RETURN(code, step(tokenizer(words), ""));
    }
    return code;
  }

private:
  std::string promptFile() const { return arguments.promptFile.empty() ? scratch.file("prompts.jsonl") : arguments.promptFile; }

  Status writePrompts() const {
    if (!arguments.promptFile.empty())
      return Status();
    std::ofstream out(promptFile());
    for (const std::string &prompt : arguments.prompts) {
      Json row = {{"prompt", prompt}};
      if (arguments.chatFormat != "none")
        row = {{"messages", Json::array({{{"role", "user"}, {"content", prompt}}})}};
      out << row.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
    }
    out.close();
    return out ? Status() : Status(ErrorCode::DiskWrite, promptFile() + ": cannot be written, expected room for the prompts; set TMPDIR");
  }

  /// What the model's own files say, and whether flags about rows are for a model of its kind. zprun complains of a bad
  /// generation_config.json.
  Status readModel() {
    ZP_ASSIGN_OR_RETURN(JsonDocument config, JsonDocument::read(arguments.model + "/config.json"));
    ZP_ASSIGN_OR_RETURN(const Family *family, familyOf(config));
    encoderDecoder = family->structure == Structure::EncoderDecoder;
    const Json own = Json::parse(contentOf(arguments.model + "/generation_config.json"), nullptr, false);
    const Json whole = Json::parse(config.text(), nullptr, false);
    generation = own.is_object() ? own : whole;
    places = numberOf(whole, "max_position_embeddings");
    if (arguments.mode != "sft" && (arguments.mode == "seq2seq") != encoderDecoder)
      return Status(ErrorCode::Config,
                    "--mode: is " + arguments.mode + ", but " + family->architecture +
                        (encoderDecoder ? " is an encoder-decoder, expected seq2seq" : " is a decoder alone, expected sft or causal") +
                        "; change the flag");
    if (arguments.stream.value_or(false) && beams() > 1)
      return Status(ErrorCode::Config, "--stream: is true with " + std::to_string(beams()) +
                                           " beams, whose best text is known at its end, expected one; give --num_beams 1, or drop the flag");
    if (arguments.promptLength && arguments.mode == "sft" && !encoderDecoder)
      return Status(ErrorCode::Usage, "--max_prompt_length: is given with --mode sft, whose prompts are taken whole, expected "
                                      "--mode causal; drop one of the two");
    return Status();
  }

  static std::optional<int64_t> numberOf(const Json &values, const char *name) {
    const Json value = values.is_object() ? values.value(name, Json()) : Json();
    return value.is_number_unsigned() ? std::optional(value.get<int64_t>()) : std::nullopt;
  }

  /// A number of the model's own settings.
  std::optional<int64_t> said(const char *name) const { return numberOf(generation, name); }

  int64_t beams() const { return arguments.beams.value_or(said("num_beams").value_or(1)); }

  /// Whether texts are printed while they are made.
  bool streams() const {
    return arguments.stream.value_or(::isatty(STDOUT_FILENO) == 1 && !arguments.json && !arguments.reportMemory && beams() == 1);
  }

  std::vector<std::string> promptWords(const std::string &to) const {
    std::vector<std::string> words = {tools.path("zpdata"), "prompts", promptFile(), "-o", to, "--json", "true"};
    words.insert(words.end(), {"--mode", encoderDecoder ? "seq2seq" : arguments.mode});
    words.insert(words.end(), arguments.dataFlags.begin(), arguments.dataFlags.end());
    if (arguments.promptLength)
      words.insert(words.end(), {encoderDecoder ? "--max_source_length" : "--max_length", std::to_string(*arguments.promptLength)});
    if (arguments.stopStrings || (generation.is_object() && !generation.value("stop_strings", Json()).is_null()))
      words.insert(words.end(), {"--token_text", "true"});
    return tokenizer(words);
  }

  /// Where tokens are made of words and back. An adapter that was trained with new tokens has them in a tokenizer of its own.
  std::vector<std::string> tokenizer(std::vector<std::string> words) const {
    std::error_code ignored;
    const bool own =
        !encoderDecoder && arguments.mode == "sft" && !arguments.adapter.empty() && fs::exists(arguments.adapter + "/tokenizer.json", ignored);
    const std::string format = arguments.chatFormat == "own" ? "none" : arguments.chatFormat;
    words.insert(words.end(), {"--tokenizer", own ? arguments.adapter : arguments.model, "--chat_template_format", format});
    return words;
  }

  Status readReport() {
    Json report = Json::parse(contentOf(scratch.file("prompts.json")), nullptr, false);
    if (!report.is_object() || !report.contains("longest") || !report.contains("prompts"))
      return Status(ErrorCode::Internal, "zpdata prompts: gave no report, expected its JSON; report this");
    longest = report["longest"].get<int64_t>();
    prompts = report["prompts"].get<int64_t>();
    // Of a decoder that a source leads, max_length is of what it says; of others it counts prompts of any length.
    std::optional<int64_t> theirs = said("max_new_tokens");
    if (!theirs && encoderDecoder && said("max_length").value_or(0) > 1)
      theirs = *said("max_length") - 1;
    // As in the reference, what nobody asks for ends where the model's places do.
    const int64_t left = places.value_or(longest + kNewTokens) - (encoderDecoder ? 1 : longest);
    newTokens = arguments.newTokens.value_or(theirs.value_or(std::clamp<int64_t>(left, 1, kNewTokens)));
    return Status();
  }

  /// Room for a prompt and its new tokens.
  std::vector<std::string> lengthWords() const {
    auto text = [](int64_t value) { return std::to_string(value); };
    if (encoderDecoder)
      return {"--max_source_length", text(longest), "--max_target_length", text(arguments.maxLength.value_or(1 + newTokens))};
    return {"--max_length", text(arguments.maxLength.value_or(longest + newTokens))};
  }

  std::vector<std::string> importWords() const {
    const int64_t share = (prompts + arguments.ranks - 1) / arguments.ranks;
    std::vector<std::string> words = {tools.path("zpc"),
                                      "import",
                                      "--model",
                                      arguments.model,
                                      "--generate",
                                      "true",
                                      "--num_processes",
                                      std::to_string(arguments.ranks),
                                      "-o",
                                      scratch.file("model.mlir")};
    const std::vector<std::string> lengths = lengthWords();
    words.insert(words.end(), lengths.begin(), lengths.end());
    if (arguments.beams)
      words.insert(words.end(), {"--num_beams", std::to_string(*arguments.beams)});
    if (!arguments.adapter.empty())
      words.insert(words.end(), {"--adapter_name_or_path", arguments.adapter});
    auto saysHowMany = [](const std::string &word) { return word.starts_with("--generation_batch_size="); };
    if (std::none_of(arguments.importFlags.begin(), arguments.importFlags.end(), saysHowMany))
      words.insert(words.end(), {"--generation_batch_size", std::to_string(std::min(share, kMostAtOnce))});
    words.insert(words.end(), arguments.importFlags.begin(), arguments.importFlags.end());
    return words;
  }

  std::vector<std::string> runWords(const std::string &plan, const std::string &from, const std::string &to) const {
    std::vector<std::string> words = {
        tools.path("zprun"), "generate", plan, "--model", arguments.model, "--prompts", from, "-o", to, "-n", std::to_string(arguments.ranks)};
    // A length that is asked for is the text's, whatever the model's own settings say of new tokens.
    if (arguments.maxLength && !arguments.newTokens)
      words.insert(words.end(), {"--max_length", std::to_string(*arguments.maxLength)});
    else
      words.insert(words.end(), {"--max_new_tokens", std::to_string(newTokens)});
    if (arguments.beams)
      words.insert(words.end(), {"--num_beams", std::to_string(*arguments.beams)});
    if (!arguments.adapter.empty())
      words.insert(words.end(), {"--adapter_name_or_path", arguments.adapter});
    if (arguments.reportMemory)
      words.insert(words.end(), {"--report_memory", "true"});
    words.insert(words.end(), arguments.runFlags.begin(), arguments.runFlags.end());
    return words;
  }

  /// Tokens go to zpdata as zprun makes them, and words to the user.
  StatusOr<int> stream(std::vector<std::string> words) const {
    Step run, print;
    words.insert(words.end(), {"--stream_tokens", "true"});
    run.words = std::move(words);
    print.words = tokenizer({tools.path("zpdata"), "text", "-", "--stream", "true"});
    if (!arguments.quiet)
      std::fprintf(stderr, "%s | %s\n", commandLine(run).c_str(), commandLine(print).c_str());
    return runPiped(run, print);
  }

  /// Runs one tool, its standard output in a file, or ours when that is empty. What a tool says of an error reaches the user by
  /// itself.
  StatusOr<int> step(std::vector<std::string> words, const std::string &output) const {
    Step step;
    step.words = std::move(words);
    if (!arguments.quiet)
      std::fprintf(stderr, "%s\n", commandLine(step).c_str());
    int fd = output.empty() ? -1 : ::open(output.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (!output.empty() && fd < 0)
      return Status(ErrorCode::DiskWrite, output + ": cannot be written, expected room for it; set TMPDIR");
    StatusOr<int> code = runTool(step, fd);
    if (fd >= 0)
      ::close(fd);
    return code;
  }

  const GenerateArguments &arguments;
  const Tools &tools;
  const Scratch &scratch;
  bool encoderDecoder = false;
  Json generation;               ///< generation_config.json, or without one config.json
  std::optional<int64_t> places; ///< of a text
  int64_t longest = 0, prompts = 0, newTokens = 0;
};

} // namespace

int generateMain(int argc, const char **argv) {
  auto fail = [](const Status &status) { return std::fprintf(stderr, "%s\n", status.toString().c_str()), exitCodeOf(status.code()); };
  StatusOr<GenerateArguments> arguments = parseGenerateFlags({argv + (argc ? 1 : 0), argv + argc});
  if (!arguments.ok())
    return fail(arguments.status());
  if (arguments->help) {
    std::fputs(generateHelp().c_str(), stdout);
    return 0;
  }
  const Tools tools = ownFolder();
  if (Status status = checkTools(tools); !status.ok())
    return fail(status);
  Scratch scratch;
  if (scratch.path.empty())
    return fail(Status(ErrorCode::DiskWrite, fs::temp_directory_path().string() + ": cannot be written, expected room for a plan; set TMPDIR"));
  StatusOr<int> code = Job(*arguments, tools, scratch).run();
  return code.ok() ? *code : fail(code.status());
}

} // namespace zp::fe

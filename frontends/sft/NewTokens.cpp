#include "frontends/sft/NewTokens.h"

#include <filesystem>
#include <fstream>
#include <sys/mman.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "frontends/process/Process.h"

namespace zp::fe {

namespace {

using Json = nlohmann::json;

/// What a tool prints; null when it fails or prints no JSON.
StatusOr<Json> answerOf(const Step &step) {
  const int file = ::memfd_create("zp-answer", MFD_CLOEXEC);
  if (file < 0)
    return Status(ErrorCode::HostMemory, "zp sft: there is no memory for a tool's answer, expected a few kilobytes; free some");
  StatusOr<int> code = runTool(step, file);
  std::string text;
  char piece[4096];
  for (ssize_t n; (n = ::pread(file, piece, sizeof piece, static_cast<off_t>(text.size()))) > 0;)
    text.append(piece, static_cast<size_t>(n));
  ::close(file);
  ZP_RETURN_IF_ERROR(code.status());
  return *code == 0 ? Json::parse(text, nullptr, false) : Json();
}

uint64_t rowsOf(const std::string &model) {
  std::ifstream in(model + "/config.json");
  const Json config = Json::parse(in, nullptr, false);
  const Json rows = config.is_object() ? config.value("vocab_size", Json()) : Json();
  return rows.is_number_unsigned() ? rows.get<uint64_t>() : 0;
}

} // namespace

Status countNewTokens(SftJob &job, const Tools &tools) {
  std::error_code ignored;
  const uint64_t rows = rowsOf(job.model);
  if (job.chatFormat == "none" || rows == 0 || !std::filesystem::exists(job.model + "/tokenizer.json", ignored))
    return Status();
  Step step;
  step.words = {tools.path("zpdata"), "tokenizer", "--tokenizer", job.model, "--chat_template_format", job.chatFormat, "--json", "true"};
  ZP_ASSIGN_OR_RETURN(Json answer, answerOf(step));
  if (!answer.is_object() || !answer.value("tokens", Json()).is_number_unsigned())
    return Status();
  job.ownTokenizer = true;
  if (answer["tokens"].get<uint64_t>() <= rows)
    return Status();
  job.vocabulary = answer["tokens"].get<uint64_t>();
  std::string names;
  for (const Json &token : answer.value("added", Json::array()))
    if (token.is_string())
      names += (names.empty() ? "" : ", ") + token.get<std::string>();
  job.notes.push_back("--chat_template_format: " + job.chatFormat + " makes " + std::to_string(job.vocabulary) + " tokens (new: " + names +
                      ") and the model has " + std::to_string(rows) + " rows of embeddings: it gets more, the mean of the old ones" +
                      (job.values.use_peft_lora ? ", and the adapter takes embedding and head along" : ""));
  return Status();
}

} // namespace zp::fe

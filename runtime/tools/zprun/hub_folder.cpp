#include "runtime/tools/zprun/hub_folder.h"

#include <cstdio>
#include <filesystem>

#include "runtime/base/atomic_file.h"
#include "runtime/tools/zprun/model_files.h"

namespace zp::rt {

/// The hub knows a model by its name there, which a directory's config.json may still have.
static std::string baseName(const Session &session) {
  const std::string &given = session.options.baseName.empty() ? session.options.model : session.options.baseName;
  std::error_code ignored;
  if (!std::filesystem::exists(given, ignored))
    return given;
  nlohmann::json config =
      session.plan().model_config() ? nlohmann::json::parse(session.plan().model_config()->str(), nullptr, false) : nlohmann::json();
  const nlohmann::json name = config.is_object() ? config.value("_name_or_path", nlohmann::json()) : nlohmann::json();
  return name.is_string() && !name.get_ref<const std::string &>().empty() ? name.get<std::string>() : given;
}

std::string modelCard(const std::string &base, const std::string &name, const JobSettings &settings) {
  const bool lora = settings.use_peft_lora;
  const std::string quoted = nlohmann::json(base).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  std::string card =
      "---\nbase_model: " + quoted + "\nlibrary_name: " + (lora ? "peft" : "transformers") + "\npipeline_tag: text-generation\ntags:\n";
  if (lora)
    card += "- base_model:adapter:" + base + "\n- lora\n";
  card += "- sft\n- transformers\n---\n\n# " + name + "\n\n";
  card += lora ? "A LoRA adapter of " + base +
                     ", trained by supervised fine-tuning with ZeroPlan. PEFT loads it:\n\n"
                     "    from peft import AutoPeftModelForCausalLM\n    model = AutoPeftModelForCausalLM.from_pretrained(\"" +
                     name + "\")\n"
               : base + ", fine-tuned with ZeroPlan.\n";
  const std::string &kwargs = settings.lr_scheduler_kwargs;
  char text[1024];
  std::snprintf(text, sizeof text,
                "\n| | |\n|---|---|\n| learning rate | %g, %s |\n| rows of an update | %lld |\n| tokens of a row | %lld |\n| "
                "seed | %lld |\n",
                settings.learning_rate, (settings.lr_scheduler_type + (kwargs.empty() ? "" : " " + kwargs)).c_str(),
                static_cast<long long>(settings.per_device_train_batch_size * settings.gradient_accumulation_steps * settings.num_processes),
                static_cast<long long>(settings.max_length), static_cast<long long>(settings.seed));
  return card + text;
}

Status makeHubFolder(const Session &session) {
  const std::string &output = session.options.outputDirectory;
  std::filesystem::path folder = std::filesystem::path(output).lexically_normal();
  if (!folder.has_filename())
    folder = folder.parent_path();
  const std::string name = session.options.hubModel.empty() ? folder.filename().native() : session.options.hubModel;
  ZP_RETURN_IF_ERROR(writeFileAtomically(output + "/README.md", modelCard(baseName(session), name, session.settings)));
  std::printf("hub: %s is ready to be pushed, nothing was sent: hf upload %s %s --exclude 'checkpoint-*/**' --exclude '.zp-cache/**'\n",
              output.c_str(), name.c_str(), output.c_str());
  return {};
}

} // namespace zp::rt

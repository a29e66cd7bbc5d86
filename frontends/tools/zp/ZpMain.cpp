#include "frontends/tools/zp/ZpMain.h"

#include <cstdio>
#include <cstring>

#include "frontends/generate/GenerateCommand.h"
#include "frontends/sft/ConfigCommand.h"
#include "frontends/sft/EnvCommand.h"
#include "frontends/sft/SftCommand.h"
#include "runtime/base/version.h"

namespace zp::fe {

static const char *const kUsage = R"(zp: one command from chats and a model to an adapter

  zp sft      --config_file ACCELERATE.yaml <flags of train.py>    data, import, compile, train
  zp generate --model DIR --adapter_name_or_path OUT --prompt TEXT what the trained model says
  zp config   --config_file FILE                                   ask, and write such a YAML
  zp env                                                           what a bug report needs

  zp VERB --help tells a verb's flags.
)";

int zpMain(int argc, char **argv) {
  if (const std::string answer = versionAnswer("zp", argc, argv); !answer.empty())
    return std::fputs(answer.c_str(), stdout) < 0;
  const char *verb = argc > 1 ? argv[1] : "";
  const char **rest = const_cast<const char **>(argv + 1);
  if (!std::strcmp(verb, "sft"))
    return sftMain(argc - 1, rest);
  if (!std::strcmp(verb, "generate"))
    return generateMain(argc - 1, rest);
  if (!std::strcmp(verb, "config"))
    return configMain(argc - 1, rest);
  if (!std::strcmp(verb, "env"))
    return envMain(argc - 1, rest);
  bool asked = !std::strcmp(verb, "--help") || !std::strcmp(verb, "-h");
  if (!asked)
    std::fprintf(stderr, "error[ZP1001] zp: '%s' is not a verb, expected sft, generate, config or env; see zp --help\n", verb);
  std::fputs(kUsage, asked ? stdout : stderr);
  return asked ? 0 : 2;
}

} // namespace zp::fe

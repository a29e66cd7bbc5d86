// `zp config`: asks what `accelerate config` asks for DeepSpeed and writes the YAML.
#ifndef ZP_FRONTENDS_SFT_CONFIGCOMMAND_H
#define ZP_FRONTENDS_SFT_CONFIGCOMMAND_H

namespace zp::fe {

/// argv[0] is the command's own name. Answers come from standard input; an empty line takes the default, and so does
/// its end. Returns the exit code.
int configMain(int argc, const char **argv);

} // namespace zp::fe

#endif // ZP_FRONTENDS_SFT_CONFIGCOMMAND_H

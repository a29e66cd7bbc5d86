// `zp sft`: data, import, compile, train, evaluate, each once.
#ifndef ZP_FRONTENDS_SFT_SFTCOMMAND_H
#define ZP_FRONTENDS_SFT_SFTCOMMAND_H

namespace zp::fe {

/// argv[0] is the command's own name. Returns the exit code: that of the step that failed, if one did.
int sftMain(int argc, const char **argv);

} // namespace zp::fe

#endif // ZP_FRONTENDS_SFT_SFTCOMMAND_H

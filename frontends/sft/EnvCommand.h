// `zp env`: what a bug report needs to say about the machine and the build.
#ifndef ZP_FRONTENDS_SFT_ENVCOMMAND_H
#define ZP_FRONTENDS_SFT_ENVCOMMAND_H

namespace zp::fe {

/// argv[0] is the command's own name; --json. Returns the exit code.
int envMain(int argc, const char **argv);

} // namespace zp::fe

#endif // ZP_FRONTENDS_SFT_ENVCOMMAND_H

// zp: the one-shot tool, and what goes with it.
#ifndef ZP_FRONTENDS_TOOLS_ZP_ZPMAIN_H
#define ZP_FRONTENDS_TOOLS_ZP_ZPMAIN_H

namespace zp::fe {

/// Returns the process exit code.
int zpMain(int argc, char **argv);

} // namespace zp::fe

#endif // ZP_FRONTENDS_TOOLS_ZP_ZPMAIN_H

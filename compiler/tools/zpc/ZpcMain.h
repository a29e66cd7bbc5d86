// zpc: import, compile, explain, estimate, simulate, check. Each verb is a function; exit codes are those of the README.
#ifndef ZP_COMPILER_TOOLS_ZPC_ZPCMAIN_H
#define ZP_COMPILER_TOOLS_ZPC_ZPCMAIN_H

namespace zp {

int zpcMain(int argc, char **argv);
int compileMain(int argc, char **argv);  ///< `zpc compile`; argv[0] is the verb
int explainMain(int argc, char **argv);  ///< `zpc explain`
int estimateMain(int argc, char **argv); ///< `zpc estimate`
int simulateMain(int argc, char **argv); ///< `zpc simulate`
int checkMain(int argc, char **argv);    ///< `zpc check`

} // namespace zp

#endif // ZP_COMPILER_TOOLS_ZPC_ZPCMAIN_H

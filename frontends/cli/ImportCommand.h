// `zpc import`: config.json and flags to model.mlir.
#ifndef ZP_FRONTENDS_CLI_IMPORTCOMMAND_H
#define ZP_FRONTENDS_CLI_IMPORTCOMMAND_H

namespace zp::fe {

/// argv[0] is the command's own name and is skipped. Returns the process exit code; errors go to
/// stderr, coded.
int importMain(int argc, const char **argv);

} // namespace zp::fe

#endif // ZP_FRONTENDS_CLI_IMPORTCOMMAND_H

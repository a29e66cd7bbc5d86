// `zp generate`: prompts in words, their continuations in words.
#ifndef ZP_FRONTENDS_GENERATE_GENERATECOMMAND_H
#define ZP_FRONTENDS_GENERATE_GENERATECOMMAND_H

namespace zp::fe {

/// Tokenizes, imports, compiles, generates and prints, in a folder of its own that is gone afterwards; argv[0] is the verb.
/// Returns the exit code: the failing tool's, which has said why.
int generateMain(int argc, const char **argv);

} // namespace zp::fe

#endif // ZP_FRONTENDS_GENERATE_GENERATECOMMAND_H

// Makes the output directory one that can be pushed to the hub as it is: a model card beside the weights and the tokenizer.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_HUB_FOLDER_H
#define ZP_RUNTIME_TOOLS_ZPRUN_HUB_FOLDER_H

#include "runtime/tools/zprun/session.h"

namespace zp::rt {

/// README.md's text: the hub's header (base model, library, tags) and what the run was.
std::string modelCard(const std::string &base, const std::string &name, const JobSettings &settings);

/// Writes README.md, the model card, over an existing one; prints the command that pushes. Nothing is sent.
Status makeHubFolder(const Session &session);

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_HUB_FOLDER_H

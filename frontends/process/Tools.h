// Where our other tools are: beside zp itself.
#ifndef ZP_FRONTENDS_PROCESS_TOOLS_H
#define ZP_FRONTENDS_PROCESS_TOOLS_H

#include <string>

#include "runtime/base/status.h"

namespace zp::fe {

struct Tools {
  std::string directory;
  std::string path(const char *name) const { return directory + "/" + name; }
  /// What zpdata is made of: its program only starts it.
  std::string dataModules() const;
};

/// The folder of the running program.
Tools ownFolder();
/// FileMissing when zpdata, zpc or zprun isn't in it.
Status checkTools(const Tools &tools);

} // namespace zp::fe

#endif // ZP_FRONTENDS_PROCESS_TOOLS_H

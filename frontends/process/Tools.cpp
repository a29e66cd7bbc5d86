#include "frontends/process/Tools.h"

#include <filesystem>
#include <unistd.h>

namespace zp::fe {

Tools ownFolder() {
  std::error_code ignored;
  return {std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path().string()};
}

std::string Tools::dataModules() const {
  std::error_code ignored;
  const std::string installed = path(ZP_INSTALLED_DATA "/zpdata");
  return std::filesystem::is_directory(installed, ignored) ? installed : ZP_DATA_MODULES;
}

Status checkTools(const Tools &tools) {
  for (const char *name : {"zpdata", "zpc", "zprun"})
    if (::access(tools.path(name).c_str(), X_OK) != 0)
      return Status(ErrorCode::FileMissing, tools.path(name) + ": is no program, expected it beside zp; build the target " + name + " too");
  return Status();
}

} // namespace zp::fe

// Where a file is written that is named by a link.
#ifndef ZP_RUNTIME_BASE_LINK_TARGET_H
#define ZP_RUNTIME_BASE_LINK_TARGET_H

#include <filesystem>
#include <string>

namespace zp {

/// Where a link leads in the end, whether something is there or not; any other path as it is.
inline std::string linkTarget(const std::string &path) {
  std::filesystem::path target = path;
  std::error_code error;
  for (int links = 0; links < 40 && std::filesystem::is_symlink(target, error); ++links) // as many as Linux follows
    target = target.parent_path() / std::filesystem::read_symlink(target, error);
  return target.string();
}

} // namespace zp

#endif // ZP_RUNTIME_BASE_LINK_TARGET_H

#include "frontends/cli/WriteModule.h"

#include <filesystem>
#include <unistd.h>

#include "llvm/Support/raw_ostream.h"

#include "runtime/base/link_target.h"

namespace zp::fe {

static Status writeFailed(const std::string &path, std::error_code error, const std::string &flag) {
  bool full = error == std::errc::no_space_on_device;
  return Status(full ? ErrorCode::DiskFull : ErrorCode::DiskWrite,
                path + ": cannot be written (" + error.message() + "), expected a writable file; " +
                    (full ? "make room" : "choose another " + flag));
}

/// The error that the stream met, which then no longer ends the process.
static std::error_code print(mlir::ModuleOp module, llvm::raw_fd_ostream &out) {
  module.print(out);
  out << '\n';
  out.flush();
  std::error_code error = out.error();
  out.clear_error();
  return error;
}

/// Under a temporary name beside it first, so that nothing half-written ever has the final name.
Status writeModule(mlir::ModuleOp module, const std::string &path, const std::string &flag) {
  if (path == "-") {
    std::error_code error = print(module, llvm::outs());
    return error ? writeFailed("standard output", error, flag) : Status();
  }
  namespace fs = std::filesystem;
  std::error_code error;
  // Renaming onto a pipe or a device would replace it.
  const std::string target = linkTarget(path);
  bool replaceable = !fs::exists(target, error) || fs::is_regular_file(target, error);
  std::string temporary = replaceable ? target + ".tmp." + std::to_string(::getpid()) : path;
  {
    error.clear();
    llvm::raw_fd_ostream out(temporary, error);
    if (error)
      return writeFailed(path, error, flag);
    error = print(module, out);
    out.close();
    if (!error)
      error = out.error();
    out.clear_error(); // else the destructor ends the process
  }
  if (!error && replaceable)
    fs::rename(temporary, target, error);
  if (!error)
    return Status();
  if (std::error_code ignored; replaceable)
    fs::remove(temporary, ignored);
  return writeFailed(path, error, flag);
}

} // namespace zp::fe

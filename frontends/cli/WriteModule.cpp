#include "frontends/cli/WriteModule.h"

#include <cerrno>
#include <cstdio>

#include "llvm/Support/raw_ostream.h"

#include "runtime/base/atomic_file.h"
#include "runtime/base/disk_error.h"

namespace zp::fe {

Status writeModule(mlir::ModuleOp module, const std::string &path) {
  std::string text;
  llvm::raw_string_ostream out(text);
  module.print(out);
  out << '\n';
  if (path != "-")
    return writeFileAtomically(path, text);
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
    return Status();
  return diskError("standard output", "written", errno, "a writable file", "send it elsewhere", "make room");
}

} // namespace zp::fe

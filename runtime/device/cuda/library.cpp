#include "runtime/device/cuda/library.h"

#include <cstdlib>
#include <dlfcn.h>
#include <vector>

namespace zp::rt::cuda {

/// What the loader says when no folder that it looks in has the library itself. One that is there and broken is not replaced by another.
static bool isMissing(const std::string &why, const std::string &name) { return why.rfind(name + ": cannot open shared object file", 0) == 0; }

static std::vector<std::string> otherFolders() {
  std::vector<std::string> folders;
#ifdef ZP_CUDA_LIBRARY_DIR
  folders.push_back(ZP_CUDA_LIBRARY_DIR);
#endif
  if (const char *home = std::getenv("CUDA_HOME"))
    for (const char *folder : {"/lib64", "/lib"})
      folders.push_back(std::string(home) + folder);
  return folders;
}

void *openLibrary(const char *name, std::string &why) {
  constexpr int kMode = RTLD_NOW | RTLD_LOCAL;
  void *handle = ::dlopen(name, kMode);
  if (handle)
    return handle;
  why = ::dlerror();
  if (!isMissing(why, name))
    return nullptr;
  for (const std::string &folder : otherFolders())
    if ((handle = ::dlopen((folder + "/" + name).c_str(), kMode)))
      return handle;
  return nullptr;
}

} // namespace zp::rt::cuda

// The suite's own flags, beside GoogleTest's:
//   --kernel_path=X        runs on that path (runtime/kernels/kernel_path.h) instead of the fastest; exit status 77 where this CPU can't
//   --list_kernel_paths    says which paths this CPU can run, and runs nothing
#include <cstdio>
#include <cstring>

#include "gtest/gtest.h"
#include "runtime/kernels/kernel_path.h"

namespace {

constexpr int kSkipped = 77; // as ctest is told (CMakeLists.txt)

bool isBeyondThisCpu(const char *name) {
  for (zp::rt::KernelPath path : zp::rt::kKernelPaths)
    if (std::strcmp(name, textOf(path)) == 0)
      return !canRun(path);
  return false;
}

} // namespace

int main(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  constexpr char kPath[] = "--kernel_path=";
  for (int i = 1; i < argc; ++i) {
    zp::Status status;
    if (std::strcmp(argv[i], "--list_kernel_paths") == 0)
      return std::fputs(zp::rt::listKernelPaths().c_str(), stdout) < 0;
    if (std::strncmp(argv[i], kPath, std::strlen(kPath)) == 0) {
      const char *name = argv[i] + std::strlen(kPath);
      if (isBeyondThisCpu(name))
        return std::printf("kernel path: this CPU cannot run %s\n", name), kSkipped;
      status = zp::rt::useKernelPath(name);
    } else
      status = zp::Status(zp::ErrorCode::UnknownKey, std::string(argv[i]) + ": is no flag of this suite");
    if (!status.ok())
      return std::fprintf(stderr, "%s\n", status.message().c_str()), 2;
  }
  std::printf("kernel path: %s\n", textOf(zp::rt::kernelPath()));
  return RUN_ALL_TESTS();
}

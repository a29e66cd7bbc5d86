// The suite's own flags, beside GoogleTest's:
//   --kernel_path=X        runs on that path (runtime/kernels/kernel_path.h) instead of the fastest; exit status 77 where this CPU can't
//   --list_kernel_paths    says which paths this CPU can run, and runs nothing
#include <cstdio>
#include <cstring>

#include "runtime/kernels/kernel_path.h"
#include "gtest/gtest.h"

// Exit status 77, as ctest is told (CMakeLists.txt): this CPU can't run the path.
static int choosePath(const char *name) {
  for (zp::rt::KernelPath path : zp::rt::kKernelPaths)
    if (std::strcmp(name, textOf(path)) == 0 && !canRun(path))
      return std::printf("kernel path: this CPU cannot run %s\n", name), 77;
  const zp::Status status = zp::rt::useKernelPath(name);
  return status.ok() ? 0 : (std::fprintf(stderr, "%s\n", status.message().c_str()), 2);
}

int main(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  constexpr char kPath[] = "--kernel_path=";
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--list_kernel_paths") == 0)
      return std::fputs(zp::rt::listKernelPaths().c_str(), stdout) < 0;
    if (std::strncmp(argv[i], kPath, std::strlen(kPath)) != 0)
      return std::fprintf(stderr, "%s: is no flag of this suite\n", argv[i]), 2;
    if (const int failed = choosePath(argv[i] + std::strlen(kPath)))
      return failed;
  }
  std::printf("kernel path: %s\n", textOf(zp::rt::kernelPath()));
  return RUN_ALL_TESTS();
}

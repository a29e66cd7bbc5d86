// The suite's own flags, beside GoogleTest's:
//   --kernel_path=X        runs on that path (runtime/kernels/kernel_path.h) instead of the fastest
//   --list_kernel_paths    says which paths this CPU can run, and runs nothing
#include <cstdio>
#include <cstring>

#include "gtest/gtest.h"
#include "runtime/kernels/kernel_path.h"

int main(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  constexpr char kPath[] = "--kernel_path=";
  for (int i = 1; i < argc; ++i) {
    zp::Status status;
    if (std::strcmp(argv[i], "--list_kernel_paths") == 0)
      return std::fputs(zp::rt::listKernelPaths().c_str(), stdout) < 0;
    if (std::strncmp(argv[i], kPath, std::strlen(kPath)) == 0)
      status = zp::rt::useKernelPath(argv[i] + std::strlen(kPath));
    else
      status = zp::Status(zp::ErrorCode::UnknownKey, std::string(argv[i]) + ": is no flag of this suite");
    if (!status.ok())
      return std::fprintf(stderr, "%s\n", status.message().c_str()), 2;
  }
  std::printf("kernel path: %s\n", textOf(zp::rt::kernelPath()));
  return RUN_ALL_TESTS();
}

#include "compiler/tools/zpc/ZpcMain.h"
#include "runtime/base/guarded.h"

int main(int argc, char **argv) {
  return zp::guarded("zpc", [&] { return zp::zpcMain(argc, argv); });
}

#include "frontends/tools/zp/ZpMain.h"
#include "runtime/base/guarded.h"

int main(int argc, char **argv) {
  return zp::guarded("zp", [&] { return zp::fe::zpMain(argc, argv); });
}

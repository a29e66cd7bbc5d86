#include "frontends/tools/zp/ZpMain.h"

int main(int argc, char **argv) { return zp::fe::zpMain(argc, argv); }

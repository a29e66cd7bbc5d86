#include "runtime/tools/zprun/zprun.h"

int main(int argc, char **argv) { return zp::rt::zprunMain(argc, argv); }

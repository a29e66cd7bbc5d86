#include "compiler/tools/zpc/ZpcMain.h"

int main(int argc, char **argv) { return zp::zpcMain(argc, argv); }

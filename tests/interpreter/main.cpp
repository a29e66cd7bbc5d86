#include "tests/interpreter/InterpretMain.h"

int main(int argc, char **argv) { return zp::interpreter::interpretMain(argc, argv); }

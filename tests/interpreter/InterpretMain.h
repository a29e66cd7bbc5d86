// The tool zp-interpret, as a library.
#ifndef ZP_TESTS_INTERPRETER_INTERPRETMAIN_H
#define ZP_TESTS_INTERPRETER_INTERPRETMAIN_H

namespace zp::interpreter {
int interpretMain(int argc, char **argv);
} // namespace zp::interpreter

#endif // ZP_TESTS_INTERPRETER_INTERPRETMAIN_H

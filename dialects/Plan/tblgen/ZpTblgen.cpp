// zp-tblgen: everything that follows from the op table, beside what mlir-tblgen makes of it.
#include "dialects/Plan/tblgen/OpTable.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TableGen/Main.h"
#include "llvm/TableGen/Record.h"
#include "llvm/TableGen/TableGenBackend.h"

using namespace llvm;

template <void (*Emit)(const std::vector<zp::tblgen::Op> &, raw_ostream &)> static void generate(const RecordKeeper &records, raw_ostream &os) {
  Emit(zp::tblgen::readOpTable(records), os);
}

static TableGen::Emitter::Opt generators[] = {
    {"gen-schema", generate<zp::tblgen::emitSchema>, "plan_ops.fbs"},
    {"gen-list", generate<zp::tblgen::emitList>, "plan_ops.inc"},
    {"gen-arguments", generate<zp::tblgen::emitArguments>, "op_args.h"},
    {"gen-decoder", generate<zp::tblgen::emitDecoder>, "op_decode.inc"},
    {"gen-signatures", generate<zp::tblgen::emitSignatures>, "op_signatures.inc"},
    {"gen-reference", generate<zp::tblgen::emitReference>, "instructions.md"},
    {"gen-encoder", generate<zp::tblgen::emitEncoder>, "PlanEncoder.cpp.inc"},
    {"gen-interfaces", generate<zp::tblgen::emitInterfaces>, "PlanInstructions.cpp.inc"},
};

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(argc, argv);
  return TableGenMain(argv[0], MultiFileTableGenMainFn(nullptr));
}

// The op table as plain data: what Plan*Ops.td say of each instruction, read once for all generators.
#ifndef ZP_DIALECTS_PLAN_TBLGEN_OPTABLE_H
#define ZP_DIALECTS_PLAN_TBLGEN_OPTABLE_H

#include <string>
#include <vector>

namespace llvm {
class RecordKeeper;
class raw_ostream;
} // namespace llvm

namespace zp::tblgen {

struct Operand {
  std::string name; // snake_case, as in the table
  std::string doc;  // dtype and shape
  bool optional = false, reads = false, writes = false;
};
struct Attribute {
  std::string name; // snake_case
  enum class Kind { Int, Float, Bool, FloatArray } kind;
};
struct Op {
  std::string className; // Matmul: the td record without Plan_ and Op
  std::string mnemonic;  // matmul
  int opcode;
  std::string executor; // Device, Stream, Engine, Loader
  std::string summary, description;
  std::vector<Operand> operands;
  std::vector<Attribute> attributes;
};

/// All instructions, by opcode. Prints a fatal error for a table that breaks a rule (opcode used twice or over 255).
std::vector<Op> readOpTable(const llvm::RecordKeeper &records);

/// transpose_a to transposeA, or TransposeA when `upper`.
std::string camel(const std::string &snake, bool upper = false);

void emitSchema(const std::vector<Op> &ops, llvm::raw_ostream &os);     // plan_ops.fbs
void emitList(const std::vector<Op> &ops, llvm::raw_ostream &os);       // plan_ops.inc
void emitArguments(const std::vector<Op> &ops, llvm::raw_ostream &os);  // op_args.h
void emitDecoder(const std::vector<Op> &ops, llvm::raw_ostream &os);    // op_decode.inc
void emitSignatures(const std::vector<Op> &ops, llvm::raw_ostream &os); // op_signatures.inc
void emitEncoder(const std::vector<Op> &ops, llvm::raw_ostream &os);    // PlanEncoder.cpp.inc
void emitInterfaces(const std::vector<Op> &ops, llvm::raw_ostream &os); // PlanInstructions.cpp.inc
void emitReference(const std::vector<Op> &ops, llvm::raw_ostream &os);  // instructions.md

} // namespace zp::tblgen

#endif // ZP_DIALECTS_PLAN_TBLGEN_OPTABLE_H

// Generators of the compiler's side: the instruction interface's methods and the encoder from op to flatbuffer.
#include "dialects/Plan/tblgen/OpTable.h"

#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace zp::tblgen {

void emitInterfaces(const std::vector<Op> &ops, raw_ostream &os) {
  for (const Op &op : ops) {
    os << "uint16_t " << op.className << "Op::getOpcode() { return " << op.opcode << "; }\n"
       << "int64_t " << op.className << "Op::getStreamId() { return getStream(); }\n"
       << "void " << op.className << "Op::setStreamId(int64_t stream) { setStream(stream); }\n"
       << "bool " << op.className << "Op::isCollective() { return " << (op.executor == "Engine" ? "true" : "false") << "; }\n"
       << "llvm::SmallVector<zp::plan::Access> " << op.className << "Op::getAccesses() {\n  return {";
    for (const Operand &operand : op.operands)
      os << "{"
         << "get" << camel(operand.name, true) << "(), " << (operand.reads ? "true" : "false") << ", " << (operand.writes ? "true" : "false")
         << "}, ";
    os << "};\n}\n";
  }
}

void emitEncoder(const std::vector<Op> &ops, raw_ostream &os) {
  for (const Op &op : ops) {
    os << "if (auto op = llvm::dyn_cast<" << op.className << "Op>(instruction)) {\n";
    for (const Attribute &attribute : op.attributes)
      if (attribute.kind == Attribute::Kind::FloatArray)
        os << "  auto " << camel(attribute.name) << " = fbb.CreateVector(op.get" << camel(attribute.name, true) << "().data(), op.get"
           << camel(attribute.name, true) << "().size());\n";
    os << "  fbs::" << op.className << "AttrsBuilder attrs(fbb);\n";
    for (const Attribute &attribute : op.attributes)
      if (attribute.kind == Attribute::Kind::FloatArray)
        os << "  attrs.add_" << attribute.name << "(" << camel(attribute.name) << ");\n";
      else if (attribute.kind == Attribute::Kind::Float)
        os << "  attrs.add_" << attribute.name << "(op.get" << camel(attribute.name, true) << "().convertToDouble());\n";
      else
        os << "  attrs.add_" << attribute.name << "(op.get" << camel(attribute.name, true) << "());\n";
    os << "  return {fbs::OpAttrs::" << op.className << ", attrs.Finish().Union()};\n}\n";
  }
}

} // namespace zp::tblgen

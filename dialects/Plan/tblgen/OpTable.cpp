#include "dialects/Plan/tblgen/OpTable.h"

#include "llvm/TableGen/Error.h"
#include "llvm/TableGen/Record.h"

#include <algorithm>
#include <map>

using namespace llvm;

namespace zp::tblgen {

std::string camel(const std::string &snake, bool upper) {
  std::string out;
  for (char c : snake) {
    if (c == '_') {
      upper = true;
      continue;
    }
    out += upper ? static_cast<char>(toupper(c)) : c;
    upper = false;
  }
  return out;
}

static Attribute::Kind kindOf(const Record &type) {
  static const std::map<StringRef, Attribute::Kind> kinds = {{"I64Attr", Attribute::Kind::Int},
                                                             {"F64Attr", Attribute::Kind::Float},
                                                             {"BoolAttr", Attribute::Kind::Bool},
                                                             {"DenseF32ArrayAttr", Attribute::Kind::FloatArray}};
  auto found = kinds.find(type.getName());
  if (found == kinds.end())
    PrintFatalError(type.getLoc(), "the op table knows I64Attr, F64Attr, BoolAttr and DenseF32ArrayAttr");
  return found->second;
}

static Operand operandOf(const Record &arg, StringRef name) {
  Operand operand{name.str(), arg.getValueAsString("summary").str()};
  operand.optional = arg.getValueAsDef("constraint")->isSubClassOf("Optional");
  for (const Record *decorator : arg.getValueAsListOfDefs("decorators")) {
    operand.reads |= decorator->getName().contains("MemRead") || decorator->isSubClassOf("MemRead");
    operand.writes |= decorator->getName().contains("MemWrite") || decorator->isSubClassOf("MemWrite");
  }
  return operand;
}

static Op opOf(const Record &record) {
  StringRef name = record.getName();
  name.consume_front("Plan_");
  name.consume_back("Op");
  Op op{name.str(),
        record.getValueAsString("opName").str(),
        static_cast<int>(record.getValueAsInt("opcode")),
        record.getValueAsDef("executor")->getValueAsString("cppName").str(),
        record.getValueAsString("summary").str(),
        record.getValueAsOptionalString("description").value_or("").str()};
  const DagInit *dag = record.getValueAsDag("operation");
  for (unsigned i = 0; i < dag->getNumArgs(); ++i) {
    const Record &arg = *cast<DefInit>(dag->getArg(i))->getDef();
    StringRef argName = dag->getArgName(i)->getValue();
    if (arg.isSubClassOf("Arg"))
      op.operands.push_back(operandOf(arg, argName));
    else
      op.attributes.push_back({argName.str(), kindOf(arg)});
  }
  return op;
}

std::vector<Op> readOpTable(const RecordKeeper &records) {
  std::vector<Op> ops;
  for (const Record *record : records.getAllDerivedDefinitions("Plan_Instruction"))
    ops.push_back(opOf(*record));
  std::sort(ops.begin(), ops.end(), [](const Op &a, const Op &b) { return a.opcode < b.opcode; });
  for (size_t i = 0; i < ops.size(); ++i)
    if (ops[i].opcode < 1 || ops[i].opcode > 255 || (i && ops[i].opcode == ops[i - 1].opcode))
      PrintFatalError("opcode " + Twine(ops[i].opcode) + " of " + ops[i].mnemonic + " is used twice or out of 1..255");
  return ops;
}

} // namespace zp::tblgen

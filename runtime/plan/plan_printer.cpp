#include "runtime/plan/plan_printer.h"

#include <flatbuffers/minireflect.h>
#include <string_view>

#include "runtime/base/names.h"
#include "runtime/plan/plan_checker.h"
#include "runtime/plan/visit_attributes.h"
#include "runtime/quant/block_format.h"
#include "runtime/schema/section_records.h"

namespace zp::rt {
namespace {

/// "{alpha: 1.0}", or nothing when every attribute has its default.
std::string attributes(const fbs::Instruction &instruction) {
  flatbuffers::ToStringVisitor visitor(" ", false, "", false);
  visitAttributes(instruction, visitor);
  bool empty = visitor.s.find_first_not_of("{} ") == std::string::npos;
  return empty ? std::string() : " " + visitor.s;
}

class Printer {
public:
  explicit Printer(const fbs::Plan &plan) : plan(plan) {}

  std::string print() {
    line("plan ranks=" + num(plan.ranks()) + " target=" + plan.target()->str() + " vocab=" + num(plan.vocab_size()) +
         " streams=" + num(plan.streams()) + " events=" + num(plan.events()) + " reserve=" + num(plan.reserve_bytes()));
    for (const fbs::Setting *setting : *plan.settings())
      line("setting " + setting->name()->str() + " = " + setting->value()->str());
    for (const fbs::Space *space : *plan.spaces())
      line("space " + snakeCase(fbs::EnumNameTier(space->tier())) + " " + num(space->bytes()));
    for (uint32_t i = 0; i < plan.sections()->size(); ++i)
      section(i, *plan.sections()->Get(i));
    for (uint32_t i = 0; i < plan.buffers()->size(); ++i)
      buffer(i, *plan.buffers()->Get(i));
    for (uint32_t i = 0; i < plan.entries()->size(); ++i)
      entry(i, *plan.entries()->Get(i));
    return std::move(text);
  }

private:
  static std::string num(uint64_t value) { return std::to_string(value); }
  void line(const std::string &content) { text += onOneLine(content) + "\n"; }

  static std::string shape(const flatbuffers::Vector<int64_t> &dims) {
    std::string out = "[";
    for (uint32_t i = 0; i < dims.size(); ++i)
      out += (i ? "," : "") + std::to_string(dims.Get(i));
    return out + "]";
  }

  /// "nf4/64 nested prequantized"
  static std::string format(const fbs::Section &section) {
    return std::string(textOf(recordsOf(section).type)) + "/" + num(section.block_size()) + (section.nested() ? " nested" : "") +
           (section.prequantized() ? " prequantized" : "");
  }

  void section(uint32_t index, const fbs::Section &section) {
    std::string sharded;
    auto add = [&](bool is, const char *what) {
      if (is)
        sharded += (sharded.empty() ? "" : ",") + std::string(what);
    };
    add(section.parameters_sharded(), "parameters");
    add(section.gradients_sharded(), "gradients");
    add(section.optimizer_sharded(), "optimizer");
    std::string out = "section " + num(index) + " " + section.name()->str() + " unit=" + num(section.unit()) + " " +
                      snakeCase(fbs::EnumNameSectionKind(section.kind())) + " " + textOf(static_cast<DType>(section.dtype())) +
                      " elements=" + num(section.elements()) + " sharded=" + (sharded.empty() ? "none" : sharded) +
                      " decay_end=" + num(section.decay_end());
    if (section.kind() == fbs::SectionKind::Codes)
      out += " " + format(section);
    auto state = [&](const char *what, uint32_t tensor) {
      if (tensor != kAbsent)
        out += std::string(" ") + what + "=%" + num(tensor);
    };
    state("values", section.values());
    state("master", section.master());
    state("moment1", section.moment1());
    state("moment2", section.moment2());
    state("gradient", section.gradient());
    line(out);
    for (const fbs::Parameter *parameter : *section.parameters()) {
      std::string what = "  parameter " + parameter->name()->str() + " " + shape(*parameter->shape()) + " at " + num(parameter->offset());
      if (parameter->initial() == fbs::Initial::Checkpoint)
        what += " checkpoint \"" + parameter->checkpoint()->str() + "\"";
      else
        what += " " + snakeCase(fbs::EnumNameInitial(parameter->initial()));
      if (parameter->initial() == fbs::Initial::Uniform || parameter->initial() == fbs::Initial::Normal)
        what += " " + flatbuffers::NumToString(parameter->initial_bound()) + " from " + num(parameter->generator_offset());
      if (parameter->saved_as()->size())
        what += " saved_as \"" + parameter->saved_as()->str() + "\"";
      line(what);
    }
  }

  void buffer(uint32_t index, const fbs::Buffer &buffer) {
    line("buffer " + num(index) + " " + buffer.name()->str() + " " + snakeCase(fbs::EnumNameTier(buffer.tier())) + " " +
         snakeCase(fbs::EnumNameBufferKind(buffer.kind())) + (buffer.persistent() ? " persistent" : "") + " [" + num(buffer.offset()) + ", +" +
         num(buffer.bytes()) + ")");
  }

  std::string window(uint32_t index) const {
    const fbs::Tensor &tensor = *plan.tensors()->Get(index);
    return "%" + num(index) + " " + describe(tensor) + " " + plan.buffers()->Get(tensor.buffer())->name()->str() + "+" + num(tensor.offset());
  }

  void entry(uint32_t index, const fbs::Entry &entry) {
    line("entry " + num(index) + " " + snakeCase(fbs::EnumNameEntryKind(entry.kind())) + " " + snakeCase(fbs::EnumNamePosition(entry.position())) +
         " rows=" + num(entry.rows()) + " length=" + num(entry.length()) +
         (entry.source_length() ? " source_length=" + num(entry.source_length()) : ""));
    for (const fbs::NamedTensor *input : *entry.inputs())
      line("  input " + input->name()->str() + " " + window(input->tensor()));
    for (uint32_t i = 0; i < entry.instructions()->size(); ++i) {
      const fbs::Instruction &instruction = *entry.instructions()->Get(i);
      const OpSignature &op = *findSignature(instruction.op_type());
      std::string out = "  " + num(i) + ": s" + num(instruction.stream()) + " " + op.name;
      bool first = true;
      for (size_t k = 0; k < op.operands.size(); ++k) {
        uint32_t tensor = instruction.operands()->Get(static_cast<flatbuffers::uoffset_t>(k));
        if (tensor == kAbsent)
          continue;
        out += (first ? " " : ", ") + std::string(op.operands[k].name) + "=" + window(tensor);
        first = false;
      }
      line(out + attributes(instruction));
    }
    for (const fbs::NamedTensor *output : *entry.outputs())
      line("  output " + output->name()->str() + " " + window(output->tensor()));
  }

  const fbs::Plan &plan;
  std::string text;
};

} // namespace

std::string printPlan(const fbs::Plan &plan) { return Printer(plan).print(); }

std::string printPlanJson(const fbs::Plan &plan) {
  flatbuffers::ToStringVisitor visitor("\n", true, "  ", true);
  flatbuffers::IterateObject(reinterpret_cast<const uint8_t *>(&plan), fbs::PlanTypeTable(), &visitor);
  return visitor.s + "\n";
}

} // namespace zp::rt

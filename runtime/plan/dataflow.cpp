#include "runtime/plan/dataflow.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>
#include <xxhash.h>

#include "runtime/plan/plan_checker.h"
#include "runtime/plan/visit_attributes.h"

namespace zp::rt {
namespace {

/// A number for a sequence of words: each depends on all before it.
class Number {
public:
  void add(uint64_t word) { state = XXH64(&word, sizeof word, state); }
  void add(std::string_view text) { state = XXH64(text.data(), text.size(), state); }
  uint64_t value() const { return state; }

private:
  uint64_t state = 0;
};

/// What a value comes from when no instruction of the entry wrote it.
enum Origin : uint64_t { kInput = 1, kEarlierEntry, kNobody };

/// Numbers the attributes of an instruction, field by field.
class AttributeNumber : public flatbuffers::IterationVisitor {
public:
  explicit AttributeNumber(Number &number) : number(number) {}
  void Field(size_t field, size_t, flatbuffers::ElementaryType, bool, const flatbuffers::TypeTable *, const char *, const uint8_t *value) override {
    if (value)
      number.add(uint64_t{field});
  }
  // The types that attributes have.
  void Bool(bool x) override { number.add(uint64_t{x}); }
  void Long(int64_t x) override { number.add(static_cast<uint64_t>(x)); }
  void Float(float x) override { Double(x); }
  void Double(double x) override { number.add(std::bit_cast<uint64_t>(x)); }

private:
  Number &number;
};

/// The values that lie in one buffer.
class Contents {
public:
  void write(uint64_t begin, uint64_t end, uint64_t value) {
    splitAt(begin);
    splitAt(end);
    pieces.erase(pieces.lower_bound(begin), pieces.lower_bound(end));
    pieces.emplace(begin, Piece{end, value, begin});
  }

  /// Numbers what [begin, end) holds: which part of which value, where.
  void read(uint64_t begin, uint64_t end, Number &number) const {
    uint64_t at = begin;
    auto it = pieces.upper_bound(begin);
    if (it != pieces.begin() && std::prev(it)->second.end > begin)
      --it;
    while (at < end) {
      const bool held = it != pieces.end() && it->first <= at;
      uint64_t stop = held ? it->second.end : it != pieces.end() ? it->first : end;
      const Piece piece = held ? it->second : Piece{0, kNobody, at};
      // A value that was cut and never overwritten is one piece still.
      for (; held && ++it != pieces.end() && it->first == stop && it->second.value == piece.value && it->second.origin == piece.origin;)
        stop = it->second.end;
      number.add(std::min(stop, end) - at);
      number.add(piece.value);
      number.add(at - piece.origin);
      at = stop;
    }
  }

private:
  struct Piece {
    uint64_t end, value, origin; ///< origin: where the value's first byte lies or lay
  };
  void splitAt(uint64_t at) {
    auto it = pieces.upper_bound(at);
    if (it == pieces.begin() || (--it)->first == at || it->second.end <= at)
      return;
    Piece tail = it->second;
    it->second.end = at;
    pieces.emplace(at, tail);
  }
  std::map<uint64_t, Piece> pieces; // by first byte; disjoint
};

class EntryFlow {
public:
  EntryFlow(const fbs::Plan &plan, const fbs::Entry &entry) : plan(plan), entry(entry) {}

  uint64_t number() {
    begin();
    for (const fbs::Instruction *instruction : *entry.instructions())
      follow(*instruction);
    Number all;
    for (uint64_t word :
         {static_cast<uint64_t>(entry.kind()), static_cast<uint64_t>(entry.position()), uint64_t{entry.rows()}, uint64_t{entry.length()}})
      all.add(word);
    if (entry.source_length()) // older plans have none, and keep their number
      all.add(uint64_t{entry.source_length()});
    for (const fbs::NamedTensor *output : *entry.outputs()) {
      all.add(output->name()->string_view());
      readTensor(output->tensor(), all);
    }
    for (uint32_t buffer : written) {
      all.add(buffer);
      contents[buffer].read(0, plan.buffers()->Get(buffer)->bytes(), all);
    }
    return all.value();
  }

private:
  void begin() {
    if (entry.kind() != fbs::EntryKind::Init)
      for (uint32_t i = 0; i < plan.buffers()->size(); ++i)
        if (plan.buffers()->Get(i)->persistent())
          contents[i].write(0, plan.buffers()->Get(i)->bytes(), given(kEarlierEntry, std::to_string(i)));
    for (const fbs::NamedTensor *input : *entry.inputs())
      writeTensor(input->tensor(), given(kInput, input->name()->string_view()));
  }

  static uint64_t given(Origin origin, std::string_view name) {
    Number number;
    number.add(origin);
    number.add(name);
    return number.value();
  }

  void follow(const fbs::Instruction &instruction) {
    const OpSignature &op = *findSignature(instruction.op_type());
    if (op.operands.empty())
      return; // events order what others do
    Number number;
    number.add(static_cast<uint64_t>(instruction.op_type()));
    AttributeNumber attributes(number);
    visitAttributes(instruction, attributes);
    auto tensorAt = [&](size_t i) { return instruction.operands()->Get(static_cast<flatbuffers::uoffset_t>(i)); };
    for (size_t i = 0; i < op.operands.size(); ++i) {
      if (tensorAt(i) == kAbsent) {
        number.add(uint64_t{kAbsent});
        continue;
      }
      const fbs::Tensor &tensor = *plan.tensors()->Get(tensorAt(i));
      number.add(tensor.dtype());
      for (int64_t dim : *tensor.dims())
        number.add(static_cast<uint64_t>(dim));
      if (accessOf(instruction, op, i).reads)
        readTensor(tensorAt(i), number);
    }
    for (size_t i = 0; i < op.operands.size(); ++i)
      if (tensorAt(i) != kAbsent && accessOf(instruction, op, i).writes) {
        Number result = number;
        result.add(i);
        writeTensor(tensorAt(i), result.value());
        if (plan.buffers()->Get(plan.tensors()->Get(tensorAt(i))->buffer())->persistent())
          written.insert(plan.tensors()->Get(tensorAt(i))->buffer());
      }
  }

  void readTensor(uint32_t index, Number &number) {
    const fbs::Tensor &tensor = *plan.tensors()->Get(index);
    contents[tensor.buffer()].read(tensor.offset(), tensor.offset() + bytesOf(tensor), number);
  }
  void writeTensor(uint32_t index, uint64_t value) {
    const fbs::Tensor &tensor = *plan.tensors()->Get(index);
    contents[tensor.buffer()].write(tensor.offset(), tensor.offset() + bytesOf(tensor), value);
  }

  const fbs::Plan &plan;
  const fbs::Entry &entry;
  std::unordered_map<uint32_t, Contents> contents;
  std::set<uint32_t> written; // persistent buffers
};

} // namespace

uint64_t dataflowOf(const fbs::Plan &plan) {
  Number all;
  for (const fbs::Entry *entry : *plan.entries())
    all.add(EntryFlow(plan, *entry).number());
  return all.value();
}

} // namespace zp::rt

// `zpc explain --memory` for people.
#include <algorithm>

#include "runtime/base/names.h"
#include "runtime/plan/plan_checker.h"
#include "runtime/plan/report/memory_report.h"
#include "runtime/plan/report/text_table.h"

namespace zp::rt {
namespace {

constexpr size_t kLargestShown = 12, kTimelineRows = 32, kTimelineWidth = 56;

std::string kindName(fbs::BufferKind kind) { return snakeCase(fbs::EnumNameBufferKind(kind)); }

class MemoryText {
public:
  MemoryText(const PlanIndex &index, const MemoryReport &report) : index(index), report(report) {}

  std::string print() {
    line("memory of one rank of " + digits(index.plan.ranks()) + ", target " + index.plan.target()->str());
    for (size_t t = 0; t < kTiers; ++t)
      if (report.spaces[t].arenaBytes > 0)
        space(static_cast<fbs::Tier>(t), report.spaces[t]);
    line("");
    line("reserve, beside the plan: " + amount(index.plan.reserve_bytes()) + " for the process itself");
    timeline();
    largestOfKinds();
    floatCopies();
    return std::move(text);
  }

private:
  void line(const std::string &words) { text += words + "\n"; }
  static std::string amount(uint64_t bytes) { return digits(bytes) + " bytes (" + humanBytes(bytes) + ")"; }

  void space(fbs::Tier tier, const SpaceReport &space) {
    line("");
    line(std::string(nameOf(tier)) + ": peak " + amount(space.arenaBytes) +
         (space.entry == kAbsent ? "" : ", fullest at " + index.place(space.entry, space.instruction)));
    TextTable kinds("lrrrrr");
    kinds.row({"kind", "bytes", "", "", "persistent", "transient"});
    const BytesByKind byKind = space.byKind();
    uint64_t persistent = 0, transient = 0;
    for (size_t kind = 0; kind < kKinds; ++kind) {
      persistent += space.persistent[kind];
      transient += space.transient[kind];
      if (byKind[kind] > 0)
        kinds.row({kindName(static_cast<fbs::BufferKind>(kind)), digits(byKind[kind]), humanBytes(byKind[kind]),
                   percent(static_cast<double>(byKind[kind]), static_cast<double>(space.arenaBytes)), digits(space.persistent[kind]),
                   digits(byKind[kind] - space.persistent[kind])});
    }
    kinds.row({"sum", digits(space.arenaBytes), humanBytes(space.arenaBytes), "", digits(persistent), digits(space.arenaBytes - persistent)});
    text += kinds.print();
    line("  arena " + digits(space.arenaBytes) + " bytes, most that lives at once " + digits(space.liveBytes) + ": waste " +
         fixed(space.liveBytes ? static_cast<double>(space.arenaBytes) / static_cast<double>(space.liveBytes) : 1, 4) + " (" +
         digits(space.between()) + " bytes between buffers, counted as working)");
    std::string entries;
    for (size_t e = 0; e < space.mostByEntry.size(); ++e)
      entries += (e ? ", " : "") + index.entryNames[e] + " " + humanBytes(space.mostByEntry[e]);
    line("  most that lives, by entry: " + entries);
    largestLiving(space);
  }

  /// Its largest parameter and how many there are beside it.
  std::string parametersOf(const fbs::Section &section) const {
    const fbs::Parameter *largest = nullptr;
    for (const fbs::Parameter *parameter : *section.parameters())
      if (!largest || elementsOf(*parameter) > elementsOf(*largest))
        largest = parameter;
    if (!largest)
      return "nothing";
    return largest->name()->str() + (section.parameters()->size() > 1 ? " and " + digits(section.parameters()->size() - 1) + " more" : "");
  }

  /// The section that a buffer holds, or from where to where it lives.
  std::string contents(uint32_t buffer, const SpaceReport *space, const LivingBuffer *living) const {
    if (auto section = index.sectionIn(buffer))
      return (index.buffer(buffer).persistent() ? "" : "all of " + index.section(*section).name()->str() + ": ") +
             parametersOf(index.section(*section));
    if (living && !living->persistent)
      return "from " + index.place(space->entry, living->first) + " to " + digits(living->last);
    return "";
  }

  void largestLiving(const SpaceReport &space) {
    line("  largest buffers that live there:");
    TextTable table("lrrll");
    for (size_t i = 0; i < std::min(space.living.size(), kLargestShown); ++i) {
      const fbs::Buffer &buffer = index.buffer(space.living[i].buffer);
      table.row({buffer.name()->str(), digits(buffer.bytes()), humanBytes(buffer.bytes()), kindName(buffer.kind()),
                 contents(space.living[i].buffer, &space, &space.living[i])});
    }
    text += table.print(4);
    if (space.living.size() > kLargestShown)
      line("    and " + digits(space.living.size() - kLargestShown) + " smaller ones");
  }

  /// Of the whole plan: a user who looks for a weight in 16 bits finds it here.
  void largestOfKinds() {
    std::vector<std::string> dtypes(index.plan.buffers()->size());
    std::vector<uint64_t> widest(dtypes.size());
    for (const fbs::Tensor *tensor : *index.plan.tensors())
      if (bytesOf(*tensor) > widest[tensor->buffer()]) {
        widest[tensor->buffer()] = bytesOf(*tensor);
        dtypes[tensor->buffer()] = describe(*tensor);
      }
    line("");
    line("largest buffer of a kind, in any entry:");
    TextTable table("lrrlll");
    for (fbs::BufferKind kind : {fbs::BufferKind::Weights, fbs::BufferKind::Gathered, fbs::BufferKind::Dequantized, fbs::BufferKind::Working}) {
      uint32_t best = kAbsent;
      for (uint32_t b = 0; b < index.plan.buffers()->size(); ++b)
        if (index.buffer(b).kind() == kind && (best == kAbsent || index.buffer(b).bytes() > index.buffer(best).bytes()))
          best = b;
      if (best != kAbsent)
        table.row({kindName(kind), digits(index.buffer(best).bytes()), humanBytes(index.buffer(best).bytes()), index.buffer(best).name()->str(),
                   dtypes[best], contents(best, nullptr, nullptr)});
    }
    text += table.print();
  }

  /// Whether a 4-bit weight ever lies in memory as floats, and which linears stay floats.
  void floatCopies() {
    bool codes = false;
    for (const fbs::Section *section : *index.plan.sections())
      codes |= section->kind() == fbs::SectionKind::Codes;
    if (!codes)
      return;
    uint64_t largest = 0;
    for (const fbs::Entry *entry : *index.plan.entries())
      for (const fbs::Instruction *instruction : *entry->instructions()) {
        const auto floats = instruction->op_type() == fbs::OpAttrs::NF4Dequantize ? instruction->operands()->Get(1)
                            : instruction->op_type() == fbs::OpAttrs::NF4Matmul   ? instruction->operands()->Get(6)
                                                                                  : kAbsent;
        if (floats != kAbsent)
          largest = std::max(largest, bytesOf(index.tensor(floats)));
      }
    line(largest ? "largest float copy of a 4-bit weight: " + amount(largest)
                 : "largest float copy of a 4-bit weight: none, products read the codes");
    uint64_t linears = 0;
    for (uint32_t b = 0; b < index.plan.buffers()->size(); ++b)
      if (auto section = index.sectionIn(b); section && index.section(*section).kind() == fbs::SectionKind::Frozen)
        for (uint32_t p = 0; p < index.section(*section).parameters()->size(); ++p)
          if (index.roleOf(*section, p) == ParameterRole::Linear)
            linears = std::max(linears, index.buffer(b).bytes());
    line(linears ? "largest buffer with a frozen linear's weight as floats: " + amount(linears)
                 : "largest buffer with a frozen linear's weight as floats: none, embedding, head, norms and biases alone are floats");
  }

  /// A bar a few instructions: the most that lives among them, '=' persistent, '#' transient.
  void timeline() {
    if (report.timeline.empty())
      return;
    const SpaceReport &space = report.spaces[static_cast<size_t>(report.timelineTier)];
    const auto count = static_cast<uint32_t>(report.timeline.size());
    const auto rows = static_cast<uint32_t>(std::min<size_t>(count, kTimelineRows));
    const double top = static_cast<double>(std::max<uint64_t>(space.arenaBytes, 1));
    line("");
    line(std::string(nameOf(report.timelineTier)) + " over " + index.entryNames[space.entry] + " (=: persistent, #: transient; a full bar is " +
         humanBytes(space.arenaBytes) + "):");
    TextTable table("rrll");
    for (uint32_t r = 0; r < rows; ++r) {
      const auto begin = static_cast<uint32_t>(uint64_t{r} * count / rows), end = static_cast<uint32_t>(uint64_t{r + 1} * count / rows);
      const uint64_t most = *std::max_element(report.timeline.begin() + begin, report.timeline.begin() + end);
      auto width = [&](uint64_t bytes) { return static_cast<size_t>(std::min(static_cast<double>(bytes) / top, 1.0) * kTimelineWidth + 0.5); };
      std::string bar(width(report.timelinePersistent), '=');
      bar.resize(std::max(width(most), bar.size()), '#');
      std::string what = sectionsUsed(space.entry, begin, end);
      if (begin <= space.instruction && space.instruction < end) {
        bar.resize(kTimelineWidth + 1, ' ');
        bar += "<- " + digits(space.instruction) + " " + findSignature(instructionAt(space.entry, space.instruction).op_type())->name;
      }
      table.row({digits(begin) + (end - 1 > begin ? ".." + digits(end - 1) : ""), humanBytes(most), what, bar});
    }
    text += table.print();
  }

  const fbs::Instruction &instructionAt(uint32_t entry, uint32_t at) const { return *index.plan.entries()->Get(entry)->instructions()->Get(at); }

  /// The units whose weights compute something there: "unit3" or "unit3..unit4".
  std::string sectionsUsed(uint32_t entry, uint32_t begin, uint32_t end) const {
    uint32_t low = kAbsent, high = 0;
    for (uint32_t i = begin; i < end; ++i) {
      const fbs::Instruction &instruction = instructionAt(entry, i);
      if (findSignature(instruction.op_type())->executor != OpExecutor::Device || !instruction.operands())
        continue;
      for (uint32_t tensor : *instruction.operands())
        if (tensor != kAbsent)
          if (auto whole = index.wholeIn(index.tensor(tensor).buffer())) {
            low = std::min(low, index.section(whole->section).unit());
            high = std::max(high, index.section(whole->section).unit());
          }
    }
    if (low == kAbsent)
      return "";
    return "unit" + digits(low) + (high > low ? "-" + digits(high) : "");
  }

  const PlanIndex &index;
  const MemoryReport &report;
  std::string text;
};

} // namespace

std::string memoryText(const PlanIndex &index, const MemoryReport &report) { return MemoryText(index, report).print(); }

} // namespace zp::rt

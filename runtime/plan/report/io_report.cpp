#include "runtime/plan/report/io_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/base/names.h"
#include "runtime/plan/plan_checker.h"
#include "runtime/plan/report/text_table.h"
#include "runtime/schema/section_records.h"

namespace zp::rt {
namespace {

/// Elements of a parameter that lie in [begin, end) of its section (of codes: bytes, whole records).
uint64_t elementsWithin(const fbs::Section &section, const fbs::Parameter &parameter, uint64_t begin, uint64_t end) {
  const uint64_t first = parameter.offset(), last = first + extentOf(section, parameter);
  const uint64_t from = std::max(begin, first), to = std::min(end, last);
  if (from >= to)
    return 0;
  if (section.kind() != fbs::SectionKind::Codes)
    return to - from;
  const QuantRecords records = recordsOf(section);
  const uint64_t all = elementsOf(parameter);
  auto before = [&](uint64_t at) { return std::min(all, (at - first) / records.bytes() * records.elements()); };
  return (to == last ? all : before(to)) - before(from);
}

SectionRead readOf(const PlanIndex &index, uint32_t which, const fbs::Tensor &target) {
  const fbs::Section &section = index.section(which);
  const uint64_t owned = elementsOf(target), ranks = index.plan.ranks();
  SectionRead read{which, owned != section.elements(), rt::bytesOf(section), 0, {}};
  for (const fbs::Parameter *parameter : *section.parameters())
    read.tensors += parameter->initial() == fbs::Initial::Checkpoint;
  for (uint64_t rank = 0; rank < ranks; ++rank) {
    const uint64_t begin = read.sharded ? rank * owned : 0;
    uint64_t elements = 0;
    for (const fbs::Parameter *parameter : *section.parameters())
      if (parameter->initial() == fbs::Initial::Checkpoint)
        elements += elementsWithin(section, *parameter, begin, begin + owned);
    read.elements.push_back(elements);
  }
  return read;
}

} // namespace

uint64_t IoReport::bytesOf(const fbs::Section &section, uint64_t elements) const {
  if (section.kind() != fbs::SectionKind::Codes || !section.prequantized())
    return static_cast<uint64_t>(static_cast<double>(elements) * bytesPerElement);
  const uint64_t blocks = (elements + section.block_size() - 1) / section.block_size();
  return (elements + 1) / 2 + (section.nested() ? blocks + (blocks + 255) / 256 * 4 : blocks * 4);
}

std::vector<uint64_t> IoReport::bytesByRank(const PlanIndex &index) const {
  std::vector<uint64_t> bytes(index.plan.ranks());
  for (const SectionRead &read : reads)
    for (size_t rank = 0; rank < bytes.size(); ++rank)
      bytes[rank] += bytesOf(index.section(read.section), read.elements[rank]);
  return bytes;
}

IoReport ioReport(const PlanIndex &index) {
  IoReport report;
  nlohmann::json config = nlohmann::json::parse(index.plan.model_config() ? index.plan.model_config()->str() : "", nullptr, false);
  for (const char *key : {"dtype", "torch_dtype"})
    if (config.is_object() && config.contains(key) && config[key].is_string())
      report.dtype = config[key].get<std::string>();
  report.bytesPerElement = report.dtype == "float16" || report.dtype == "bfloat16" ? 2 : 4;
  report.elements.resize(index.plan.ranks());
  for (const fbs::Entry *entry : *index.plan.entries())
    if (entry->kind() == fbs::EntryKind::Init)
      for (const fbs::Instruction *instruction : *entry->instructions()) {
        int64_t section = -1;
        if (const auto *load = instruction->op_as_LoadSection())
          section = load->section();
        else if (const auto *quantized = instruction->op_as_LoadQuantized())
          section = quantized->section();
        if (section < 0)
          continue;
        SectionRead read = readOf(index, static_cast<uint32_t>(section), index.tensor(instruction->operands()->Get(0)));
        for (size_t rank = 0; rank < read.elements.size(); ++rank)
          report.elements[rank] += read.elements[rank];
        report.reads.push_back(std::move(read));
      }
  return report;
}

nlohmann::ordered_json ioJson(const PlanIndex &index, const IoReport &report) {
  nlohmann::ordered_json json = {{"checkpoint_dtype", report.dtype}, {"bytes_by_rank", report.bytesByRank(index)}};
  json["sections"] = nlohmann::ordered_json::array();
  for (const SectionRead &read : report.reads) {
    const fbs::Section &section = index.section(read.section);
    std::vector<uint64_t> bytes;
    for (uint64_t elements : read.elements)
      bytes.push_back(report.bytesOf(section, elements));
    json["sections"].push_back({{"name", section.name()->str()},
                                {"kind", snakeCase(fbs::EnumNameSectionKind(section.kind()))},
                                {"sharded", read.sharded},
                                {"tensors", read.tensors},
                                {"elements_by_rank", read.elements},
                                {"bytes_by_rank", bytes},
                                {"section_bytes", read.sectionBytes}});
  }
  return json;
}

std::string ioText(const PlanIndex &index, const IoReport &report) {
  std::string text = "init reads of the checkpoint (" +
                     (report.dtype.empty() ? "dtype unknown, taken as float32" : report.dtype + " as config.json says") + "), bytes:\n";
  // With many ranks a column each is no help: the least and the most are.
  const uint32_t ranks = index.plan.ranks();
  const bool each = ranks <= 4;
  TextTable table("lllr" + std::string(each ? ranks : 2, 'r') + "r");
  std::vector<std::string> head = {"section", "kind", "", "tensors"};
  for (uint32_t rank = 0; each && rank < ranks; ++rank)
    head.push_back("rank " + digits(rank));
  if (!each)
    head.insert(head.end(), {"least", "most"});
  head.push_back("in memory, all ranks");
  table.row(head);
  auto numbers = [&](std::vector<std::string> &cells, const std::vector<uint64_t> &bytes) {
    if (each)
      for (uint64_t n : bytes)
        cells.push_back(digits(n));
    else
      cells.insert(cells.end(), {digits(*std::min_element(bytes.begin(), bytes.end())), digits(*std::max_element(bytes.begin(), bytes.end()))});
  };
  uint64_t drawn = 0;
  for (const SectionRead &read : report.reads) {
    const fbs::Section &section = index.section(read.section);
    if (read.tensors == 0) {
      ++drawn;
      continue;
    }
    std::vector<uint64_t> bytes;
    for (uint64_t elements : read.elements)
      bytes.push_back(report.bytesOf(section, elements));
    std::vector<std::string> cells = {section.name()->str(), snakeCase(fbs::EnumNameSectionKind(section.kind())),
                                      read.sharded ? "own slice" : "all of it", digits(read.tensors)};
    numbers(cells, bytes);
    cells.push_back(digits(read.sharded ? read.sectionBytes : read.sectionBytes * ranks));
    table.row(cells);
  }
  std::vector<std::string> sum = {"sum", "", "", ""};
  numbers(sum, report.bytesByRank(index));
  table.row(sum);
  text += table.print();
  if (drawn > 0)
    text += "  " + digits(drawn) + " sections are drawn from the seed or start at zero: nothing is read for them\n";
  return text;
}

} // namespace zp::rt

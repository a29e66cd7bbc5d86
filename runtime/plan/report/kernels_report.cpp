#include "runtime/plan/report/kernels_report.h"

#include <nlohmann/json.hpp>
#include <set>

#include "runtime/plan/plan_checker.h"
#include "runtime/plan/report/operations.h"
#include "runtime/quant/block_format.h"
#include "runtime/schema/section_records.h"

namespace zp::rt {

void OpSums::add(const OpSums &other, uint64_t times) {
  count += times * other.count;
  operations += static_cast<double>(times) * other.operations;
  bytes += times * other.bytes;
  branches += times * other.branches;
  for (const auto &[dtype, instructions] : other.dtypes)
    dtypes[dtype] += times * instructions;
}

namespace {

void add(OpTable &sum, const OpTable &table, uint64_t times) {
  for (const auto &[name, sums] : table)
    sum[name].add(sums, times);
}

OpTable tableOf(const PlanIndex &index, const fbs::Entry &entry) {
  OpTable table;
  for (const fbs::Instruction *instruction : *entry.instructions()) {
    const OpSignature &op = *findSignature(instruction->op_type());
    OpSums &sums = table[op.name];
    ++sums.count;
    sums.operations += operationsOf(index, *instruction);
    bool named = false;
    for (uint32_t i = 0; i < op.operands.size(); ++i) {
      uint32_t operand = instruction->operands()->Get(i);
      if (operand == kAbsent)
        continue;
      const fbs::Tensor &tensor = index.tensor(operand);
      sums.branches += std::string_view(op.operands[i].name) == "branch_a";
      Access access = accessOf(*instruction, op, i);
      sums.bytes += bytesOf(tensor) * (uint64_t{access.reads} + uint64_t{access.writes});
      if (!named && isFloatType(dtypeOf(tensor))) {
        ++sums.dtypes[textOf(dtypeOf(tensor))];
        named = true;
      }
    }
  }
  return table;
}

/// "nf4, blocks of 64, nested scales".
std::string describeCodes(const fbs::Section &section) {
  const QuantRecords records = recordsOf(section);
  return std::string(textOf(records.type)) + ", blocks of " + std::to_string(records.blockSize) +
         (records.nested ? ", nested scales" : ", f32 scales");
}

std::string joined(const std::set<std::string> &words) {
  std::string text;
  for (const std::string &word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string lossScaleText(const PlanIndex &index) {
  if (index.setting("fp16") != "true" || index.update().empty())
    return "";
  const std::string given = index.setting("loss_scale");
  if (std::strtod(given.c_str(), nullptr) > 0)
    return given + " [loss_scale]; an update whose gradients overflow is skipped";
  return "from 2^" + index.setting("initial_scale_power") + " [initial_scale_power]; an update whose gradients overflow is skipped, at " +
         index.setting("hysteresis") + " [hysteresis] the scale halves, to " + index.setting("min_loss_scale") +
         " at least [min_loss_scale]; after " + index.setting("loss_scale_window") + " without [loss_scale_window] it doubles";
}

PrecisionReport precisionOf(const PlanIndex &index, const std::vector<OpTable> &entries) {
  PrecisionReport precision;
  std::set<std::string> compute, frozen, codes, read, masters, moments, gradients;
  auto dtypeOfTensor = [&](uint32_t tensor) { return std::string(textOf(dtypeOf(index.tensor(tensor)))); };
  auto note = [&](std::set<std::string> &where, uint32_t tensor) {
    if (tensor != kAbsent)
      where.insert(dtypeOfTensor(tensor));
  };
  for (uint32_t e = 0; e < entries.size(); ++e) {
    fbs::EntryKind kind = index.plan.entries()->Get(e)->kind();
    if (kind != fbs::EntryKind::Init && kind != fbs::EntryKind::ApplyGradients)
      for (const char *op : {"matmul", "nf4_matmul", "attention"})
        if (auto found = entries[e].find(op); found != entries[e].end())
          for (const auto &[dtype, count] : found->second.dtypes)
            compute.insert(dtype);
  }
  bool saved = false, copied = false;
  for (const fbs::Section *section : *index.plan.sections()) {
    double elements = 0;
    for (const fbs::Parameter *parameter : *section->parameters()) {
      elements += static_cast<double>(elementsOf(*parameter));
      saved |= parameter->saved_as()->size() > 0;
    }
    switch (section->kind()) {
    case fbs::SectionKind::Codes:
      codes.insert(describeCodes(*section) + (section->prequantized() ? ", as the checkpoint has them" : ", quantised while loading"));
      precision.codesElements += elements;
      precision.codesBytes += static_cast<double>(bytesOf(*section));
      break;
    case fbs::SectionKind::Trainable:
      note(read, section->values());
      copied |= section->values() != section->master();
      note(masters, section->master() == kAbsent ? section->values() : section->master());
      note(moments, section->moment1());
      note(moments, section->moment2());
      note(gradients, section->gradient());
      precision.trainableElements += elements;
      break;
    default:
      note(frozen, section->values());
      precision.frozenElements += elements;
    }
  }
  precision.compute = joined(compute);
  precision.frozenFloats = joined(frozen);
  precision.codes = joined(codes);
  if (!codes.empty())
    precision.quantStorage = index.setting("bnb_4bit_quant_storage_dtype");
  precision.trainableCopy = !copied && !masters.empty() ? "none, the masters themselves" : joined(read);
  precision.masters = joined(masters);
  precision.moments = joined(moments);
  precision.gradients = joined(gradients);
  precision.lossScale = lossScaleText(index);
  if (saved)
    precision.adapterFile = "f32";
  return precision;
}

nlohmann::ordered_json jsonOf(const OpTable &table) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto &[name, sums] : table)
    json[name] = {{"count", sums.count}, {"flops", sums.operations}, {"bytes", sums.bytes}, {"dtypes", sums.dtypes}, {"branches", sums.branches}};
  return json;
}

} // namespace

KernelsReport kernelsReport(const PlanIndex &index) {
  KernelsReport report;
  for (const fbs::Entry *entry : *index.plan.entries())
    report.entries.push_back(tableOf(index, *entry));
  for (auto [entry, times] : index.update())
    add(report.update, report.entries[entry], times);
  report.precision = precisionOf(index, report.entries);
  return report;
}

nlohmann::ordered_json kernelsJson(const PlanIndex &index, const KernelsReport &report) {
  nlohmann::ordered_json json;
  for (size_t e = 0; e < report.entries.size(); ++e)
    json["entries"][index.entryNames[e]] = jsonOf(report.entries[e]);
  json["update"] = jsonOf(report.update);
  const PrecisionReport &precision = report.precision;
  json["precision"] = {{"compute", precision.compute},
                       {"frozen_floats", precision.frozenFloats},
                       {"codes", precision.codes},
                       {"quant_storage", precision.quantStorage},
                       {"trainable_copy", precision.trainableCopy},
                       {"masters", precision.masters},
                       {"moments", precision.moments},
                       {"gradients", precision.gradients},
                       {"loss_scale", precision.lossScale},
                       {"saved", precision.adapterFile}};
  return json;
}

} // namespace zp::rt

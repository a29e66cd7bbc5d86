// `zpc explain --kernels` for people.
#include <algorithm>

#include "runtime/plan/report/kernels_report.h"
#include "runtime/plan/report/text_table.h"

namespace zp::rt {

static std::string dtypesText(const std::map<std::string, uint64_t> &dtypes) {
  std::string text;
  for (const auto &[dtype, count] : dtypes)
    text += (text.empty() ? "" : ", ") + dtype + (dtypes.size() > 1 ? " " + digits(count) + "x" : "");
  return text;
}

static std::string opsText(const OpTable &table) {
  std::vector<std::pair<std::string, OpSums>> ops(table.begin(), table.end());
  std::stable_sort(ops.begin(), ops.end(), [](auto &a, auto &b) {
    return a.second.operations != b.second.operations ? a.second.operations > b.second.operations : a.second.bytes > b.second.bytes;
  });
  double all = 0;
  for (const auto &[name, sums] : ops)
    all += sums.operations;
  TextTable text("lrrrrl");
  text.row({"op", "count", "FLOPs", "", "bytes touched", "dtype"});
  for (const auto &[name, sums] : ops)
    text.row({name, digits(sums.count), sums.operations > 0 ? humanCount(sums.operations) : "",
              sums.operations > 0 ? percent(sums.operations, all) : "", sums.bytes ? humanBytes(sums.bytes) : "",
              dtypesText(sums.dtypes) + (sums.branches ? "; " + digits(sums.branches) + " with the adapter's product in them" : "")});
  text.row({"sum", "", humanCount(all)});
  return text.print();
}

/// What a user of PEFT knows these choices as stands in brackets.
static std::string precisionText(const PlanIndex &index, const PrecisionReport &precision) {
  TextTable table("ll");
  auto row = [&](const char *name, const std::string &words) {
    if (!words.empty())
      table.row({name, words});
  };
  auto of = [](double elements) { return elements > 0 ? ", " + humanCount(elements) + " elements" : std::string(); };
  const bool quantised = precision.codesElements > 0;
  row("compute dtype", precision.compute + (quantised ? " [bnb_4bit_compute_dtype]" : ""));
  row("  sums", "f32 inside products, norms and softmax, rounded once a result; f64 for loss and gradient norm");
  if (quantised) {
    row("4-bit weights", precision.codes + of(precision.codesElements) + " [bnb_4bit_quant_type, use_nested_quant]");
    row("  bits an element", fixed(8 * precision.codesBytes / precision.codesElements, 3) + ", scales and padding in it");
  }
  if (quantised)
    row("quant storage", precision.quantStorage + " [bnb_4bit_quant_storage_dtype]: a label in files; in memory and between ranks it is bytes");
  row("other frozen weights", precision.frozenFloats.empty() ? "" : precision.frozenFloats + of(precision.frozenElements));
  row("trained weights", precision.masters.empty() ? "" : precision.masters + " masters" + of(precision.trainableElements));
  row("  read by kernels",
      precision.trainableCopy + (precision.masters.empty() || precision.trainableCopy.find("none") == 0 ? "" : ", cast again after each update"));
  row("  gradients", precision.gradients.empty() ? "" : precision.gradients + ", summed over micro-batches and ranks");
  row("  AdamW moments", precision.moments);
  row("loss scale", precision.lossScale);
  row(index.plan.adapter_config() && index.plan.adapter_config()->size() ? "adapter file" : "model file", precision.adapterFile);
  return table.print();
}

std::string kernelsText(const PlanIndex &index, const KernelsReport &report) {
  std::string text = "precision\n" + precisionText(index, report.precision);
  text += "\nan update of " + digits(index.accumulation()) + " micro-batches, one rank\n" + opsText(report.update);
  for (size_t e = 0; e < report.entries.size(); ++e)
    text += "\n" + index.entryNames[e] + "\n" + opsText(report.entries[e]);
  text +=
      "\n  FLOPs: products, attention and loss, from shapes (one document a row, every label counted); bytes touched: operands read and written\n";
  return text;
}

} // namespace zp::rt

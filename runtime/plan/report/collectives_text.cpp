// `zpc explain --collectives` for people.
#include "runtime/plan/report/collectives_report.h"
#include "runtime/plan/report/text_table.h"

namespace zp::rt {

static std::string gatheredTable(const CollectiveSums &sums) {
  TextTable table("lrrrr");
  table.row({"gathered", "bytes", "", "elements", "bytes an element"});
  auto row = [&](const char *name, const GatheredPart &part) {
    if (part.bytes == 0)
      return;
    bool counted = part.elements > 0;
    table.row({name, digits(part.bytes), humanBytes(part.bytes), counted ? digits(wholeNumber(part.elements)) : "",
               counted ? fixed(static_cast<double>(part.bytes) / part.elements, 4) : ""});
  };
  row("frozen linears", sums.frozenLinears());
  row("  as 4-bit codes", sums.of(Gathered::LinearCodes));
  row("  as floats", sums.of(Gathered::LinearFloats));
  row("embedding", sums.of(Gathered::Embedding));
  row("head", sums.of(Gathered::Head));
  row("other frozen", sums.of(Gathered::OtherFrozen));
  row("trainable", sums.of(Gathered::Trainable));
  row("of no section", sums.of(Gathered::NoSection));
  row("all together", sums.all());
  return table.print(2);
}

std::string collectivesText(const PlanIndex &index, const CollectivesReport &report) {
  std::string text = "collectives of one rank of " + digits(index.plan.ranks()) + "\n";
  TextTable table("lrlrrrr");
  table.row({"entry", "runs", "collective", "count", "bytes", "", "received"});
  auto rows = [&](const std::string &name, const std::string &times, const CollectiveSums &sums) {
    std::string shown = name, shownTimes = times;
    auto row = [&](const char *what, const Traffic &traffic) {
      if (traffic.count == 0)
        return;
      table.row({shown, shownTimes, what, digits(traffic.count), digits(traffic.bytes), humanBytes(traffic.bytes), digits(traffic.received)});
      shown.clear();
      shownTimes.clear();
    };
    row("all_gather", sums.gathers);
    row("reduce_scatter", sums.scatters);
    row("all_reduce", sums.reduces);
  };
  auto update = index.update();
  for (uint32_t e = 0; e < report.entries.size(); ++e) {
    std::string times;
    for (auto [entry, count] : update)
      if (entry == e)
        times = digits(count);
    rows(index.entryNames[e], times, report.entries[e]);
  }
  rows("an update", "", report.update);
  text += table.print();
  text += "  runs: in an update of " + digits(index.accumulation()) + " micro-batches; received: what of the bytes comes from other ranks\n";
  if (index.pooledBytes() > 0)
    text += "  ranks of one host find what they gather in a pool of their shards, " + humanBytes(index.pooledBytes()) +
            " in all, and copy nothing of it\n";
  if (report.update.gathers.count > 0)
    text += "\nan update gathers\n" + gatheredTable(report.update);
  for (size_t e = 0; e < report.entries.size(); ++e)
    if (report.entries[e].gathers.count > 0)
      text += "\n" + index.entryNames[e] + " gathers\n" + gatheredTable(report.entries[e]);
  return text;
}

} // namespace zp::rt

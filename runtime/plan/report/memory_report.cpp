#include "runtime/plan/report/memory_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/base/names.h"

namespace zp::rt {

BytesByKind SpaceReport::byKind() const {
  BytesByKind sum{};
  for (size_t kind = 0; kind < kKinds; ++kind)
    sum[kind] = persistent[kind] + transient[kind];
  sum[static_cast<size_t>(fbs::BufferKind::Working)] += between();
  return sum;
}

/// The sums of what lives in a tier at each instruction of an entry, persistent buffers left out.
static std::vector<uint64_t> sumsOf(const PlanIndex &index, fbs::Tier tier, const std::vector<Life> &lives, uint32_t count) {
  std::vector<uint64_t> change(count + 1); // differences, modulo 2^64
  for (const Life &life : lives)
    if (const fbs::Buffer &buffer = index.buffer(life.buffer); buffer.tier() == tier) {
      change[life.first] += buffer.bytes();
      change[life.last + 1] -= buffer.bytes();
    }
  std::vector<uint64_t> sums(count);
  uint64_t now = 0;
  for (uint32_t i = 0; i < count; ++i)
    sums[i] = now += change[i];
  return sums;
}

/// Divides the living bytes among kinds. A byte that two buffers claim (a plan may let them alternate) counts once.
static void divide(const PlanIndex &index, SpaceReport &space) {
  std::vector<const LivingBuffer *> byPlace;
  for (const LivingBuffer &living : space.living)
    byPlace.push_back(&living);
  std::sort(byPlace.begin(), byPlace.end(), [&](auto *a, auto *b) { return index.buffer(a->buffer).offset() < index.buffer(b->buffer).offset(); });
  uint64_t covered = 0;
  for (const LivingBuffer *living : byPlace) {
    const fbs::Buffer &buffer = index.buffer(living->buffer);
    const uint64_t begin = std::max(buffer.offset(), covered), end = buffer.offset() + buffer.bytes();
    if (begin >= end)
      continue;
    (living->persistent ? space.persistent : space.transient)[static_cast<size_t>(buffer.kind())] += end - begin;
    space.liveBytes += end - begin;
    covered = end;
  }
}

MemoryReport memoryReport(const PlanIndex &index) {
  const fbs::Plan &plan = index.plan;
  MemoryReport report;
  std::vector<std::vector<Life>> lives;
  for (const fbs::Entry *entry : *plan.entries())
    lives.push_back(livesOf(plan, *entry));
  for (const fbs::Space *space : *plan.spaces())
    report.spaces[static_cast<size_t>(space->tier())].arenaBytes = space->bytes();
  bool drawn = false;
  for (size_t t = 0; t < kTiers; ++t) {
    SpaceReport &space = report.spaces[t];
    const auto tier = static_cast<fbs::Tier>(t);
    uint64_t persistent = 0, most = 0;
    for (const fbs::Buffer *buffer : *plan.buffers())
      if (buffer->tier() == tier && buffer->persistent())
        persistent += buffer->bytes();
    std::vector<uint64_t> fullest;
    for (uint32_t e = 0; e < lives.size(); ++e) {
      std::vector<uint64_t> sums = sumsOf(index, tier, lives[e], plan.entries()->Get(e)->instructions()->size());
      auto top = std::max_element(sums.begin(), sums.end());
      space.mostByEntry.push_back(persistent + (top == sums.end() ? 0 : *top));
      if (top == sums.end() || persistent + *top == 0 || (space.entry != kAbsent && persistent + *top <= most))
        continue;
      most = persistent + *top;
      space.entry = e;
      space.instruction = static_cast<uint32_t>(top - sums.begin());
      fullest = std::move(sums);
    }
    for (uint32_t b = 0; b < plan.buffers()->size(); ++b)
      if (index.buffer(b).tier() == tier && index.buffer(b).persistent())
        space.living.push_back({b, true, 0, 0});
    if (space.entry != kAbsent)
      for (const Life &life : lives[space.entry])
        if (index.buffer(life.buffer).tier() == tier && life.first <= space.instruction && space.instruction <= life.last)
          space.living.push_back({life.buffer, false, life.first, life.last});
    divide(index, space);
    std::stable_sort(space.living.begin(), space.living.end(),
                     [&](auto &a, auto &b) { return index.buffer(a.buffer).bytes() > index.buffer(b.buffer).bytes(); });
    if (!drawn && space.entry != kAbsent) {
      report.timelineTier = tier;
      report.timelinePersistent = persistent;
      report.timeline = std::move(fullest);
      drawn = true;
    }
  }
  for (uint64_t &bytes : report.timeline)
    bytes += report.timelinePersistent;
  return report;
}

nlohmann::ordered_json memoryJson(const PlanIndex &index, const MemoryReport &report) {
  nlohmann::ordered_json json;
  for (size_t t = 0; t < kTiers; ++t) {
    const SpaceReport &space = report.spaces[t];
    nlohmann::ordered_json kinds;
    const BytesByKind byKind = space.byKind();
    for (size_t kind = 0; kind < kKinds; ++kind)
      if (byKind[kind] || static_cast<fbs::BufferKind>(kind) < fbs::BufferKind::Cache) // which few plans have, and those behind it
        kinds[snakeCase(fbs::EnumNameBufferKind(static_cast<fbs::BufferKind>(kind)))] = byKind[kind];
    std::string at = space.entry == kAbsent ? "" : index.entryNames[space.entry] + ":" + std::to_string(space.instruction);
    json["spaces"][nameOf(static_cast<fbs::Tier>(t))] = {{"peak_bytes", space.arenaBytes}, {"at", at}, {"by_kind", kinds}};
  }
  json["ranks"] = index.plan.ranks();
  json["target"] = index.plan.target()->str();
  return json;
}

} // namespace zp::rt

// What each rank reads from the base checkpoint when it starts, and what it fills in without reading.
#ifndef ZP_RUNTIME_PLAN_REPORT_IO_REPORT_H
#define ZP_RUNTIME_PLAN_REPORT_IO_REPORT_H

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "runtime/plan/report/plan_index.h"

namespace zp::rt {

/// One load of `init`. Per rank: checkpoint elements that lie in what the rank owns.
struct SectionRead {
  uint32_t section;
  bool sharded;                   ///< each rank reads its own slice; else every rank reads all
  uint64_t sectionBytes = 0;      ///< what the section takes of memory, over all ranks once
  uint64_t tensors = 0;           ///< of the checkpoint
  std::vector<uint64_t> elements; ///< by rank
};

struct IoReport {
  std::string dtype; ///< of the checkpoint, as its config.json says; what it doesn't say is taken as float32
  double bytesPerElement = 4;
  std::vector<SectionRead> reads;
  std::vector<uint64_t> elements; ///< by rank, of all sections
  /// Bytes of a checkpoint for so many elements of a section.
  uint64_t bytesOf(const fbs::Section &section, uint64_t elements) const;
  std::vector<uint64_t> bytesByRank(const PlanIndex &index) const;
};

IoReport ioReport(const PlanIndex &index);
nlohmann::ordered_json ioJson(const PlanIndex &index, const IoReport &report);
std::string ioText(const PlanIndex &index, const IoReport &report);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_REPORT_IO_REPORT_H

#include "runtime/trainer/epoch_report.h"

#include <algorithm>

namespace zp::rt {

std::optional<EpochReport> EpochMeter::update(uint64_t done, double loss, uint64_t residentNow) {
  sum += loss;
  ++updates;
  resident.end = residentNow;
  resident.peak = std::max(resident.peak, residentNow);
  if (done % updatesPerEpoch != 0)
    return std::nullopt;
  EpochReport report{done / updatesPerEpoch - 1, sum / static_cast<double>(updates), resident};
  *this = EpochMeter(updatesPerEpoch, residentNow);
  return report;
}

} // namespace zp::rt

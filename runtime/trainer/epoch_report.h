// What each epoch of training came to: its loss and the memory of this process, for who prints them.
#ifndef ZP_RUNTIME_TRAINER_EPOCH_REPORT_H
#define ZP_RUNTIME_TRAINER_EPOCH_REPORT_H

#include <cstdint>
#include <optional>

#include "runtime/trainer/process_memory.h"

namespace zp::rt {

struct EpochReport {
  uint64_t epoch = 0; ///< from 0
  double loss = 0;    ///< mean of its updates' losses, of those that this process did
  ResidentBytes resident;
};

class EpochMeter {
public:
  EpochMeter(uint64_t updatesPerEpoch, uint64_t residentBefore)
      : updatesPerEpoch(updatesPerEpoch), resident{residentBefore, residentBefore, residentBefore} {}

  /// After an update, `done` counting those of the whole run; the report when it was an epoch's last.
  std::optional<EpochReport> update(uint64_t done, double loss, uint64_t residentNow);

private:
  uint64_t updatesPerEpoch, updates = 0;
  double sum = 0;
  ResidentBytes resident;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_EPOCH_REPORT_H

// How long a run is: what data and settings make of rows, rounds and updates.
#ifndef ZP_RUNTIME_TRAINER_RUN_LENGTH_H
#define ZP_RUNTIME_TRAINER_RUN_LENGTH_H

#include "runtime/io/token_dataset.h"
#include "runtime/schema/settings.h"
#include "runtime/trainer/row_order.h"

namespace zp::rt {

RowOrderOptions rowOrderOf(const JobSettings &settings, const TokenDataset &dataset, int ranks);

/// Config or Dataset when the settings or the data make no update.
StatusOr<uint64_t> updatesInAll(const JobSettings &settings, const TokenDataset &dataset, int ranks);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_RUN_LENGTH_H

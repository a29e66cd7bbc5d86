// Puts rows of the data and the step scalars into the inputs of an entry.
#ifndef ZP_RUNTIME_TRAINER_MICRO_BATCH_H
#define ZP_RUNTIME_TRAINER_MICRO_BATCH_H

#include <span>

#include "runtime/executor/executor.h"
#include "runtime/io/token_dataset.h"
#include "runtime/schema/step_scalars.h"

namespace zp::fbs {
struct Entry;
}

namespace zp::rt {

/// `rows` are rows of the data set, or negative for padding: as many as the entry has.
Status fillTokens(Executor &executor, const fbs::Entry &entry, const TokenDataset &dataset, std::span<const int64_t> rows);
/// Does nothing for an entry that reads no scalars.
Status fillScalars(Executor &executor, const fbs::Entry &entry, const StepScalars &scalars);
/// Reads the doubles of an output. One that has fewer than `out` leaves the rest not-a-number.
Status readDoubles(Executor &executor, const fbs::Entry &entry, std::string_view name, std::span<double> out);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_MICRO_BATCH_H

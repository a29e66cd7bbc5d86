#include "runtime/trainer/evaluation_means.h"

#include <algorithm>

namespace zp::rt {

namespace {

double share(double sum, uint64_t counted) { return sum / static_cast<double>(std::max<uint64_t>(counted, 1)); }

void add(RowSums &sums, const RowSums &more) {
  sums.loss += more.loss;
  sums.hits += more.hits;
  sums.counted += more.counted;
}

} // namespace

EvaluationBatches evaluationBatches(const JobSettings &settings, uint64_t ranks) {
  return {static_cast<uint64_t>(settings.per_device_eval_batch_size), ranks, settings.dataloader_drop_last};
}

EvaluationMeans meansOfBatches(std::span<const RowSums> rows, const EvaluationBatches &how) {
  const uint64_t places = how.batch * how.ranks, left = rows.size() % places, full = rows.size() / places;
  const bool drops = how.dropLast && full > 0;
  const uint64_t rounds = full + (left > 0 && !drops);
  EvaluationMeans means;
  uint64_t weighed = 0; // rows that count in the loss
  for (uint64_t round = 0; round < rounds; ++round) {
    // Of a scalar a rank, gathered, the reference keeps as many as the last round has rows.
    const uint64_t heard = round < full ? how.ranks : std::min(left, how.ranks);
    RowSums predicted;
    for (uint64_t rank = 0; rank < how.ranks; ++rank) {
      RowSums sums;
      const uint64_t first = round * places + rank * how.batch;
      for (uint64_t place = first; place < first + how.batch; ++place)
        if (place < rows.size() || how.ranks > 1)
          add(sums, rows[place % rows.size()]);
      const uint64_t own = std::min(how.batch, rows.size() - std::min<uint64_t>(first, rows.size()));
      means.loss += share(sums.loss, sums.counted) * static_cast<double>(own);
      weighed += own;
      if (rank < heard)
        add(predicted, sums);
    }
    means.accuracy += share(predicted.hits, predicted.counted);
  }
  means.loss = share(means.loss, weighed);
  means.accuracy = share(means.accuracy, rounds);
  return means;
}

} // namespace zp::rt

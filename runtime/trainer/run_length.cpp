#include "runtime/trainer/run_length.h"

#include <cmath>
#include <string>

#include "runtime/schema/run_rules.h"

namespace zp::rt {

RowOrderOptions rowOrderOf(const JobSettings &settings, const TokenDataset &dataset, int ranks) {
  RowOrderOptions options;
  options.rows = static_cast<uint32_t>(dataset.rows());
  options.ranks = ranks;
  options.batch = static_cast<uint32_t>(settings.per_device_train_batch_size);
  options.accumulation = static_cast<uint32_t>(settings.gradient_accumulation_steps);
  options.shuffled = settings.train_sampling_strategy != "sequential";
  options.dropLast = settings.dataloader_drop_last;
  options.seed = static_cast<uint64_t>(settings.data_seed >= 0 ? settings.data_seed : settings.seed);
  return options;
}

StatusOr<uint64_t> updatesInAll(const JobSettings &settings, const TokenDataset &dataset, int ranks) {
  ZP_RETURN_IF_ERROR(verifyUpdateSize(settings, static_cast<uint64_t>(ranks)));
  ZP_RETURN_IF_ERROR(verifyEpochs(settings));
  RowOrder order(rowOrderOf(settings, dataset, ranks));
  if (order.roundsPerEpoch() == 0)
    return Status(ErrorCode::Dataset, "dataset: " + std::to_string(dataset.rows()) + " rows fill no micro-batch on " + std::to_string(ranks) +
                                          " ranks, and dataloader_drop_last leaves them out; give more rows");
  if (settings.max_steps > 0)
    return static_cast<uint64_t>(settings.max_steps);
  return static_cast<uint64_t>(std::ceil(settings.num_train_epochs * static_cast<double>(order.updatesPerEpoch())));
}

} // namespace zp::rt

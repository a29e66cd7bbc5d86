// What a run's settings of length, logging, evaluation, saving and the loss's scale must obey: said once, for whoever makes a
// plan and for whoever carries one out under flags of its own.
#ifndef ZP_RUNTIME_SCHEMA_RUN_RULES_H
#define ZP_RUNTIME_SCHEMA_RUN_RULES_H

#include <cstdint>
#include <string>

#include "runtime/base/status.h"
#include "runtime/schema/settings.h"

namespace zp::rt {

/// Of logging, too. Config, naming the flag, for a word that isn't known, a number out of range, or a best model that couldn't be loaded at the
/// end: it has to be evaluated whenever it is saved.
Status verifyRunSettings(const JobSettings &settings);

/// Rows of an update: batch, accumulation and their product with the ranks are 1 to 2^30. Config, naming the flag.
Status verifyUpdateSize(const JobSettings &settings, uint64_t ranks);

/// Without max_steps the epochs say how long a run is: a positive number up to 2^30. Config, naming the flag.
Status verifyEpochs(const JobSettings &settings);

/// The metric that says which checkpoint is the best, without the prefix eval_; empty: none is asked for.
std::string bestMetricOf(const JobSettings &settings);
bool greaterIsBetter(const JobSettings &settings);
/// A number of updates as a setting says it: below 1, a share of `updates`, rounded up.
uint64_t stepsOf(double steps, uint64_t updates);
/// eval_steps with its default: logging_steps.
double evalStepsOf(const JobSettings &settings);

} // namespace zp::rt

#endif // ZP_RUNTIME_SCHEMA_RUN_RULES_H

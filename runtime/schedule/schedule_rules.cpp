#include "runtime/schedule/schedule_rules.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/base/number_text.h"

namespace zp::rt {

namespace {

constexpr double kMostWarmup = 1 << 30;

class Rules {
public:
  Rules(const JobSettings &settings, const std::string &prefix, std::optional<uint64_t> updates)
      : settings(settings), prefix(prefix), updates(updates) {}

  StatusOr<ScheduleArguments> verify() {
    ZP_RETURN_IF_ERROR(range("learning_rate", settings.learning_rate, std::numeric_limits<double>::max(), "0 or more; try 1e-4"));
    ZP_RETURN_IF_ERROR(range("warmup_steps", settings.warmup_steps, kMostWarmup, "0 or more updates; use 0 for no warm-up"));
    ZP_RETURN_IF_ERROR(range("warmup_ratio", settings.warmup_ratio, 1, "a share from 0 to 1; use 0 for no warm-up"));
    auto place = [this](const std::string &name) { return prefix + "lr_scheduler_kwargs" + (name.empty() ? "" : ": " + name); };
    ZP_ASSIGN_OR_RETURN(ScheduleArguments arguments,
                        ScheduleArguments::parse(settings.lr_scheduler_type, prefix + "lr_scheduler_type", settings.lr_scheduler_kwargs, place));
    ZP_RETURN_IF_ERROR(checkRate(arguments));
    ZP_RETURN_IF_ERROR(agrees(arguments, "warmup_max_lr", settings.learning_rate, "the learning_rate"));
    if (updates)
      ZP_RETURN_IF_ERROR(agrees(arguments, "total_num_steps", static_cast<double>(*updates), "the updates of this run"));
    const double steps = settings.warmup_steps, share = steps > 0 ? steps : settings.warmup_ratio;
    if (steps >= 1 || (share > 0 && updates))
      ZP_RETURN_IF_ERROR(agrees(arguments, "warmup_num_steps",
                                static_cast<double>(std::max<uint64_t>(1, warmupUpdatesOf(settings, updates.value_or(0)))),
                                "the updates of warm-up"));
    return arguments;
  }

private:
  Status fail(const std::string &place, const std::string &message) const { return Status(ErrorCode::Config, prefix + place + ": " + message); }

  Status range(const char *name, double value, double most, const char *expected) const {
    return value >= 0 && value <= most ? Status() : fail(name, "is " + numberText(value) + ", expected " + expected);
  }

  /// What ends at a rate of its own begins above it, and a rate can't be a share of nothing.
  Status checkRate(const ScheduleArguments &arguments) const {
    const std::string is = "is " + numberText(settings.learning_rate) + " beside --lr_scheduler_type " + settings.lr_scheduler_type;
    const double end = arguments.number("lr_end").value_or(-1);
    if (settings.learning_rate <= end)
      return fail("learning_rate", is + ", expected more than the " + numberText(end) + " that it ends at; use linear");
    if (arguments.number("min_lr") && settings.learning_rate == 0)
      return fail("learning_rate", is + ", expected a rate that min_lr is a share of; use constant");
    return {};
  }

  /// As the reference has it: a number of DeepSpeed's section is what the trainer's own flag says, or `auto`.
  Status agrees(const ScheduleArguments &arguments, const char *name, double expected, const char *what) const {
    const std::optional<double> given = isDeepspeed(arguments.kind()) && arguments.isGiven(name) ? arguments.number(name) : std::nullopt;
    if (!given || *given == expected)
      return {};
    return fail(std::string("lr_scheduler_kwargs: ") + name,
                "is " + numberText(*given) + ", expected " + numberText(expected) + ", " + what + "; write \"auto\"");
  }

  const JobSettings &settings;
  const std::string &prefix;
  std::optional<uint64_t> updates;
};

} // namespace

StatusOr<ScheduleArguments> verifySchedule(const JobSettings &settings, const std::string &prefix, std::optional<uint64_t> updates) {
  return Rules(settings, prefix, updates).verify();
}

uint64_t warmupUpdatesOf(const JobSettings &settings, uint64_t updates) {
  if (settings.warmup_steps >= 1)
    return static_cast<uint64_t>(settings.warmup_steps);
  const double share = settings.warmup_steps > 0 ? settings.warmup_steps : settings.warmup_ratio;
  return static_cast<uint64_t>(std::ceil(static_cast<double>(updates) * share));
}

} // namespace zp::rt

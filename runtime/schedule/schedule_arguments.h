// What a schedule takes beside learning rate and warm-up: lr_scheduler_type and lr_scheduler_kwargs, checked by one table.
//
// transformers' schedules have its names and its arguments (get_scheduler's scheduler_specific_kwargs), DeepSpeed's have those of
// the `scheduler` section of its config. `auto`, which DeepSpeed's alone know, stands for what the job's other settings say.
#ifndef ZP_RUNTIME_SCHEDULE_SCHEDULE_ARGUMENTS_H
#define ZP_RUNTIME_SCHEDULE_SCHEDULE_ARGUMENTS_H

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace zp::rt {

enum class ScheduleKind {
  Linear,
  Cosine,
  CosineWithRestarts,
  Constant,
  ConstantWithWarmup,
  Polynomial,
  InverseSqrt,
  CosineWithMinLr,
  CosineWarmupWithMinLr,
  WarmupStableDecay,
  WarmupLR, // from here on DeepSpeed's
  WarmupDecayLR,
  WarmupCosineLR,
  OneCycle,
  LRRangeTest,
};

/// The values of lr_scheduler_type.
std::vector<std::string> scheduleNames();
bool isDeepspeed(ScheduleKind kind);

/// Where an argument was given, for messages: `--lr_scheduler_kwargs: min_lr`. The empty name is that of the whole.
using ArgumentPlace = std::function<std::string(const std::string &name)>;

class ScheduleArguments {
public:
  /// `json`: an object, or nothing. UnknownKey with the nearest argument; Config for a type that isn't known (its message begins
  /// with `typePlace`), a value that can't be, what is missing, and what contradicts itself.
  static StatusOr<ScheduleArguments> parse(const std::string &type, const std::string &typePlace, const std::string &json,
                                           const ArgumentPlace &place);

  ScheduleKind kind() const { return schedule; }
  /// Given as such, or the default; nothing when there is neither, or when it is `auto`.
  std::optional<double> number(const std::string &name) const;
  bool flag(const std::string &name) const { return number(name) == 1; }
  std::string word(const std::string &name) const;
  bool isAuto(const std::string &name) const;
  bool isGiven(const std::string &name) const;
  /// What differs from the defaults, however it was written: two of the same text are the same schedule.
  std::string text() const;

private:
  struct Value {
    double number = 0;
    std::string word;
    bool isAuto = false, isGiven = false, isDefault = false; // isDefault: it says what the default would
  };
  friend class ScheduleArgumentReader;

  ScheduleKind schedule = ScheduleKind::Linear;
  std::map<std::string, Value> values;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_SCHEDULE_SCHEDULE_ARGUMENTS_H

#include "runtime/schedule/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "runtime/schedule/schedule_rules.h"

namespace zp::rt {

namespace {

using std::numbers::pi;

constexpr double kTimescale = 10000; // of inverse_sqrt without warm-up

using Rate = std::function<double(double)>;

/// What formulas are made of. Numbers that have no default are there: the rules have seen to it.
struct Terms {
  double peak, warm, all; // learning rate; updates of warm-up and of the run
  const ScheduleArguments &arguments;

  double number(const char *name) const { return arguments.number(name).value_or(0); }
  double numberOr(const char *name, double absent) const { return arguments.number(name).value_or(absent); }
  double afterWarmup() const { return std::max(1.0, all - warm); }
};

/// Operations are in the references' order, so that the rates are theirs up to the last bits.
double ramp(double t, double warm) { return t / std::max(1.0, warm); }
double wave(double cycles, double progress) { return 0.5 * (1.0 + std::cos(pi * cycles * 2.0 * progress)); }
double above(double least, double factor) { return std::max(0.0, factor * (1 - least) + least); }

//--- transformers: a share of the learning rate, update by update

/// The ramp, and then `rest` of the updates since.
template <typename Rest> Rate warmedUp(const Terms &terms, Rest rest) {
  return [warm = terms.warm, rest](double t) { return t < warm ? ramp(t, warm) : rest(t); };
}

Rate linear(const Terms &terms) {
  return warmedUp(terms, [all = terms.all, left = terms.afterWarmup()](double t) { return std::max(0.0, (all - t) / left); });
}

double minimumRate(const Terms &terms) {
  return terms.arguments.number("min_lr") ? terms.number("min_lr") / terms.peak : terms.number("min_lr_rate");
}

/// With and without a rate that it ends at.
Rate cosine(const Terms &terms) {
  return warmedUp(terms, [warm = terms.warm, left = terms.afterWarmup(), cycles = terms.number("num_cycles"), least = minimumRate(terms)](double t) {
    return above(least, wave(cycles, (t - warm) / left));
  });
}

Rate cosineWithRestarts(const Terms &terms) {
  return warmedUp(terms, [warm = terms.warm, left = terms.afterWarmup(), cycles = terms.number("num_cycles")](double t) {
    const double progress = (t - warm) / left;
    return progress >= 1 ? 0.0 : std::max(0.0, 0.5 * (1.0 + std::cos(pi * std::fmod(cycles * progress, 1.0))));
  });
}

Rate polynomial(const Terms &terms) {
  return warmedUp(terms, [peak = terms.peak, warm = terms.warm, left = terms.afterWarmup(), end = terms.number("lr_end"),
                          power = terms.number("power")](double t) {
    const double remaining = std::max(0.0, 1 - (t - warm) / left);
    return ((peak - end) * std::pow(remaining, power) + end) / peak;
  });
}

Rate inverseSqrt(const Terms &terms) {
  const double timescale = terms.numberOr("timescale", terms.warm > 0 ? terms.warm : kTimescale);
  return warmedUp(terms, [timescale, shift = timescale - terms.warm](double t) { return 1.0 / std::sqrt((t + shift) / timescale); });
}

/// The first update isn't at 0, and the last is where the cosine ends.
Rate cosineWarmupWithMinLr(const Terms &terms) {
  const std::optional<double> first = terms.arguments.number("warmup_lr_rate");
  return [first, warm = terms.warm, left = terms.afterWarmup(), cycles = terms.number("num_cycles"), least = minimumRate(terms)](double t) {
    if (t < warm && first)
      return *first + (1.0 - *first) * t / std::max(1.0, warm - 1);
    if (t < warm)
      return ramp(t + 1.0, warm);
    return above(least, wave(cycles, (t - warm + 1.0) / left));
  };
}

Rate warmupStableDecay(const Terms &terms) {
  const double decay = terms.number("num_decay_steps"), least = terms.number("min_lr_ratio"), cycles = terms.number("num_cycles");
  const double warm = terms.warm, stable = terms.numberOr("num_stable_steps", terms.all - warm - decay);
  const std::string up = terms.arguments.word("warmup_type"), down = terms.arguments.word("decay_type");
  return [=](double t) {
    if (t < warm) {
      const double p = ramp(t, warm);
      return above(least, up == "linear" ? p : up == "cosine" ? 0.5 * (1.0 - std::cos(pi * p)) : 1.0 - std::sqrt(1.0 - p));
    }
    if (t < warm + stable)
      return 1.0;
    if (t >= warm + stable + decay)
      return least;
    const double p = (t - warm - stable) / std::max(1.0, decay);
    return above(least, down == "linear" ? 1.0 - p : down == "cosine" ? wave(cycles, p) : 1.0 - std::sqrt(p));
  };
}

//--- DeepSpeed: rates. Its engine steps a schedule behind an update, whose first step is 0: update u has the rate of step u - 1

/// From `first`, before any step.
template <typename Rest> Rate afterFirst(double first, Rest rest) {
  return [first, rest](double u) { return u == 0 ? first : rest(u - 1); };
}

double warmupSteps(const Terms &terms) {
  return std::max(2.0, terms.arguments.isAuto("warmup_num_steps") ? std::max(1.0, terms.warm) : terms.number("warmup_num_steps"));
}

double totalSteps(const Terms &terms) { return terms.numberOr("total_num_steps", terms.all); }

/// 0 up to 1, by the logarithm or straight.
Rate warmupShare(const Terms &terms) {
  const double warm = warmupSteps(terms), inverse = 1.0 / std::log(warm);
  if (terms.arguments.word("warmup_type") == "linear")
    return [warm](double step) { return step / warm; };
  return [inverse](double step) { return inverse * std::log(step + 1); };
}

/// `rest`: the share of the largest rate after the warm-up.
template <typename Rest> Rate warmupLr(const Terms &terms, Rest rest) {
  const bool isAuto = terms.arguments.isAuto("warmup_max_lr");
  const double least = terms.number("warmup_min_lr"), most = isAuto ? terms.peak : terms.numberOr("warmup_max_lr", terms.peak);
  return afterFirst(least, [=, share = warmupShare(terms), warm = warmupSteps(terms)](double step) {
    return least + (most - least) * (step < warm ? share(step) : rest(step));
  });
}

Rate warmupDecayLr(const Terms &terms) {
  const double total = totalSteps(terms), left = std::max(1.0, total - warmupSteps(terms));
  return warmupLr(terms, [=](double step) { return std::max(0.0, (total - step) / left); });
}

Rate warmupCosineLr(const Terms &terms) {
  const double warm = warmupSteps(terms), left = std::max(1.0, totalSteps(terms) - warm);
  const double first = terms.number("warmup_min_ratio"), last = terms.number("cos_min_ratio");
  return afterFirst(0, [=, peak = terms.peak, share = warmupShare(terms)](double step) {
    if (step < warm)
      return peak * (first + share(step) * (1. - first));
    const double progress = std::min(1.0, (step - warm + 1) / left);
    return peak * std::max(0.0, last + (1. - last) * ((1 + std::cos(pi * progress)) / 2));
  });
}

/// Up and down, held on stairs where there are some, and then down from the smallest rate. Momentum is left as it is.
Rate oneCycle(const Terms &terms) {
  const double least = terms.number("cycle_min_lr"), most = terms.number("cycle_max_lr");
  const double up = terms.number("cycle_first_step_size"), down = terms.numberOr("cycle_second_step_size", up), total = up + down;
  const double stairsUp = terms.number("cycle_first_stair_count"), stairsDown = terms.numberOr("cycle_second_stair_count", stairsUp);
  const double decay = terms.number("decay_lr_rate"), interval = terms.number("decay_step_size");
  auto share = [=](double u) {
    const double cycle = std::floor(1 + u / total), x = 1. + u / total - cycle, ratio = up / total;
    const double stairs = x <= ratio ? stairsUp : stairsDown, within = std::fmod(u, total);
    if (stairs > 0)
      return std::floor(within <= up ? within * stairs / up : (total - within) * stairs / down) / stairs;
    return x <= ratio ? x / ratio : (x - 1) / (ratio - 1);
  };
  return [=](double u) {
    if (u == 0)
      return least;
    if (u - 1 < total)
      return least + (most - least) * share(u);
    return interval == 0 || decay == 0 ? least : least / (1 + decay * ((u - total) / interval));
  };
}

Rate lrRangeTest(const Terms &terms) {
  const double least = terms.number("lr_range_test_min_lr"), size = terms.number("lr_range_test_step_size");
  const double growth = terms.number("lr_range_test_step_rate");
  const bool stairs = terms.arguments.flag("lr_range_test_staircase");
  return [=](double u) {
    const double interval = u / size;
    return u == 0 ? least : least * (1 + growth * (stairs ? std::floor(interval) : interval));
  };
}

Rate rateOf(const Terms &terms) {
  switch (terms.arguments.kind()) {
  case ScheduleKind::Linear:
    return linear(terms);
  case ScheduleKind::Cosine:
  case ScheduleKind::CosineWithMinLr:
    return cosine(terms);
  case ScheduleKind::CosineWithRestarts:
    return cosineWithRestarts(terms);
  case ScheduleKind::Constant:
    return [](double) { return 1.0; };
  case ScheduleKind::ConstantWithWarmup:
    return warmedUp(terms, [](double) { return 1.0; });
  case ScheduleKind::Polynomial:
    return polynomial(terms);
  case ScheduleKind::InverseSqrt:
    return inverseSqrt(terms);
  case ScheduleKind::CosineWarmupWithMinLr:
    return cosineWarmupWithMinLr(terms);
  case ScheduleKind::WarmupStableDecay:
    return warmupStableDecay(terms);
  case ScheduleKind::WarmupLR:
    return warmupLr(terms, [](double) { return 1.0; });
  case ScheduleKind::WarmupDecayLR:
    return warmupDecayLr(terms);
  case ScheduleKind::WarmupCosineLR:
    return warmupCosineLr(terms);
  case ScheduleKind::OneCycle:
    return oneCycle(terms);
  case ScheduleKind::LRRangeTest:
    return lrRangeTest(terms);
  }
  return {};
}

} // namespace

StatusOr<Schedule> Schedule::create(const JobSettings &settings, uint64_t updates) {
  ZP_ASSIGN_OR_RETURN(ScheduleArguments arguments, verifySchedule(settings, "plan: settings.", updates));
  const Rate rate =
      rateOf({settings.learning_rate, static_cast<double>(warmupUpdatesOf(settings, updates)), static_cast<double>(updates), arguments});
  Schedule schedule;
  if (isDeepspeed(arguments.kind()))
    schedule.rate = rate;
  else
    schedule.rate = [rate, peak = settings.learning_rate](double t) { return peak * rate(t); };
  return schedule;
}

} // namespace zp::rt

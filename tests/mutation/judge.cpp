#include "tests/mutation/judge.h"

#include <memory>
#include <xxhash.h>

#include "runtime/executor/executor.h"
#include "runtime/io/section_loader.h"
#include "runtime/plan/op_signatures.h"
#include "runtime/trainer/bench.h"
#include "runtime/trainer/plan_entries.h"
#include "runtime/trainer/plan_settings.h"

namespace zp::rt::test {

StatusOr<uint64_t> outcomeOf(const PlanFile &file, Communicator &communicator, const std::string &disk, Way way, uint64_t seed) {
  const fbs::Plan &plan = file.plan();
  ZP_ASSIGN_OR_RETURN(JobSettings settings, settingsOf(plan));
  SectionReader reader(plan, communicator.rank(), SectionSources());
  ExecutorOptions options;
  options.threads = 1;
  options.shadow = way.shadow;
  options.diskDirectory = disk;
  options.device = [&](int threads, uint32_t streams, uint32_t events) { return createOrderedDevice(way.order, seed, threads, streams, events); };
  options.loadSection = [&](uint32_t section, const auto &target, ParallelFor &with) { return reader.load(section, target, with); };
  options.loadQuantized = [&](uint32_t section, const auto &records, const auto &scales, ParallelFor &with) {
    return reader.loadQuantized(section, records, scales, with);
  };
  options.nestScales = [&](uint32_t section, const auto &scales, const auto &records, ParallelFor &with) {
    return reader.nestScales(section, scales, records, with);
  };
  ZP_ASSIGN_OR_RETURN(std::unique_ptr<Executor> executor, Executor::create(file, communicator, options));
  ZP_ASSIGN_OR_RETURN(uint32_t init, PlanEntries(plan).longestEntry(fbs::EntryKind::Init));
  ZP_RETURN_IF_ERROR(executor->run(init));
  BenchLoop loop(plan, settings, *executor, communicator, {.warmUp = 2, .timed = 1});
  ZP_ASSIGN_OR_RETURN(BenchReport report, bench(loop));

  uint64_t number = XXH64(&report.loss, sizeof report.loss, 0);
  std::vector<std::byte> storage;
  for (const fbs::Section *section : *plan.sections())
    for (uint32_t tensor : {section->values(), section->master(), section->moment1(), section->moment2()})
      if (tensor != kAbsent) {
        TensorView view;
        ZP_RETURN_IF_ERROR(executor->bring(tensor, storage, view));
        number = XXH64(view.data, view.bytes(), number);
      }
  return number;
}

} // namespace zp::rt::test

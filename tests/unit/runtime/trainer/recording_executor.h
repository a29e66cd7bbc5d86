// An executor that computes nothing: it keeps what each run was given and answers what a test says.
#ifndef ZP_TESTS_UNIT_RUNTIME_TRAINER_RECORDING_EXECUTOR_H
#define ZP_TESTS_UNIT_RUNTIME_TRAINER_RECORDING_EXECUTOR_H

#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "runtime/executor/executor.h"
#include "runtime/schema/plan_generated.h"
#include "runtime/schema/step_scalars.h"

namespace zp::test {

struct Run {
  uint32_t entry = 0;
  std::map<std::string, std::vector<int32_t>> tokens;
  StepScalars scalars{};
};

class RecordingExecutor final : public rt::Executor {
public:
  explicit RecordingExecutor(const fbs::Plan &plan) : plan(plan) {
    for (const fbs::Tensor *tensor : *plan.tensors()) {
      rt::TensorView view;
      view.dtype = static_cast<DType>(tensor->dtype());
      view.rank = static_cast<int>(tensor->dims()->size());
      for (int i = 0; i < view.rank; ++i)
        view.dims[static_cast<size_t>(i)] = tensor->dims()->Get(static_cast<uint32_t>(i));
      memory.emplace_back(view.bytes() / 8 + 1);
      view.data = memory.back().data();
      views.push_back(view);
    }
  }
  Status run(uint32_t entry) override {
    Run run{entry, {}, {}};
    for (const fbs::NamedTensor *input : *plan.entries()->Get(entry)->inputs()) {
      const rt::TensorView &view = views[input->tensor()];
      if (input->name()->str() == "scalars")
        std::memcpy(&run.scalars, view.data, sizeof run.scalars);
      else
        run.tokens[input->name()->str()].assign(view.as<int32_t>(), view.as<int32_t>() + view.elements());
    }
    runs.push_back(std::move(run));
    return onRun ? onRun(entry) : Status();
  }
  rt::TensorView view(uint32_t tensor) override { return views[tensor]; }
  uint64_t gatheredBytes() const override { return 0; }
  uint64_t reducedBytes() const override { return 0; }
  std::array<double, 256> secondsByOpcode() const override { return {}; }
  rt::StepTimes &times() override { return stepTimes; }

  std::vector<Run> runs;
  std::function<Status(uint32_t)> onRun;

private:
  const fbs::Plan &plan;
  std::vector<std::vector<double>> memory;
  std::vector<rt::TensorView> views;
  rt::StepTimes stepTimes;
};

} // namespace zp::test

#endif // ZP_TESTS_UNIT_RUNTIME_TRAINER_RECORDING_EXECUTOR_H

// A plan of plan_spec.h that outlives its index.
#ifndef ZP_TESTS_UNIT_RUNTIME_PLAN_REPORT_BUILT_PLAN_H
#define ZP_TESTS_UNIT_RUNTIME_PLAN_REPORT_BUILT_PLAN_H

#include <gtest/gtest.h>

#include "runtime/plan/report/plan_index.h"
#include "tests/unit/runtime/plan/plan_spec.h"

namespace zp::rt::test {

/// Loaded, hence verified: what the reports require.
struct BuiltPlan {
  explicit BuiltPlan(const PlanSpec &spec) : file(spec.load()) {
    if (!file.ok())
      ADD_FAILURE() << file.status().toString();
  }
  const fbs::Plan &plan() const { return file->plan(); }
  PlanIndex index() const { return PlanIndex(plan()); }
  StatusOr<PlanFile> file;
};

} // namespace zp::rt::test

#endif // ZP_TESTS_UNIT_RUNTIME_PLAN_REPORT_BUILT_PLAN_H

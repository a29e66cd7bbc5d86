// `zpc explain`: what a verified plan will do, before it does it.
#ifndef ZP_RUNTIME_PLAN_REPORT_EXPLAIN_H
#define ZP_RUNTIME_PLAN_REPORT_EXPLAIN_H

#include <string>
#include <vector>

#include "runtime/schema/plan_generated.h"

namespace zp::rt {

enum class ExplainView : uint8_t {
#define ZP_EXPLAIN_VIEW(Name, flag, summary) Name,
#include "runtime/plan/report/explain_views.inc"
#undef ZP_EXPLAIN_VIEW
};

/// All views, in the order they are printed.
std::vector<ExplainView> allExplainViews();
/// "memory"; its flag is `--memory`.
const char *nameOf(ExplainView view);
const char *summaryOf(ExplainView view);

/// Requires a plan that passed its proofs, kernels' checks included (checks/check_instructions.h).
std::string explainText(const fbs::Plan &plan, const std::vector<ExplainView> &views);
/// One view: its object. Several: an object of them by name.
std::string explainJson(const fbs::Plan &plan, const std::vector<ExplainView> &views);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_REPORT_EXPLAIN_H

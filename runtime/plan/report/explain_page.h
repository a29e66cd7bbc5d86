// `zpc explain --html`: one page that opens offline, with the map of memory and the timeline of streams.
#ifndef ZP_RUNTIME_PLAN_REPORT_EXPLAIN_PAGE_H
#define ZP_RUNTIME_PLAN_REPORT_EXPLAIN_PAGE_H

#include <string>

#include "runtime/base/status.h"
#include "runtime/schema/plan_generated.h"

namespace zp::rt {

/// The page. It refers to nothing outside itself; what it draws stands in it as JSON (element `plan`). Requires a plan that
/// passed its proofs.
std::string explainPage(const fbs::Plan &plan, const std::string &title);

/// Writes the page, whole or not at all. Errors: DiskWrite, DiskFull.
Status writeExplainPage(const fbs::Plan &plan, const std::string &title, const std::string &path);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_REPORT_EXPLAIN_PAGE_H

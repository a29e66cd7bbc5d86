#include "runtime/plan/report/explain.h"

#include <nlohmann/json.hpp>

#include "runtime/plan/report/collectives_report.h"
#include "runtime/plan/report/io_report.h"
#include "runtime/plan/report/kernels_report.h"
#include "runtime/plan/report/memory_report.h"
#include "runtime/plan/report/schedule_report.h"

namespace zp::rt {

std::vector<ExplainView> allExplainViews() {
  return {
#define ZP_EXPLAIN_VIEW(Name, flag, summary) ExplainView::Name,
#include "runtime/plan/report/explain_views.inc"
#undef ZP_EXPLAIN_VIEW
  };
}

const char *nameOf(ExplainView view) {
  switch (view) {
#define ZP_EXPLAIN_VIEW(Name, flag, summary)                                                                                                         \
  case ExplainView::Name:                                                                                                                            \
    return #flag;
#include "runtime/plan/report/explain_views.inc"
#undef ZP_EXPLAIN_VIEW
  }
  return "?";
}

const char *summaryOf(ExplainView view) {
  switch (view) {
#define ZP_EXPLAIN_VIEW(Name, flag, summary)                                                                                                         \
  case ExplainView::Name:                                                                                                                            \
    return summary;
#include "runtime/plan/report/explain_views.inc"
#undef ZP_EXPLAIN_VIEW
  }
  return "?";
}

static std::string textOf(const PlanIndex &index, ExplainView view) {
  switch (view) {
  case ExplainView::Memory:
    return memoryText(index, memoryReport(index));
  case ExplainView::Collectives:
    return collectivesText(index, collectivesReport(index));
  case ExplainView::Kernels:
    return kernelsText(index, kernelsReport(index));
  case ExplainView::Schedule:
    return scheduleText(index, scheduleReport(index));
  case ExplainView::Io:
    return ioText(index, ioReport(index));
  }
  return {};
}

static nlohmann::ordered_json jsonOf(const PlanIndex &index, ExplainView view) {
  switch (view) {
  case ExplainView::Memory:
    return memoryJson(index, memoryReport(index));
  case ExplainView::Collectives:
    return collectivesJson(index, collectivesReport(index));
  case ExplainView::Kernels:
    return kernelsJson(index, kernelsReport(index));
  case ExplainView::Schedule:
    return scheduleJson(index, scheduleReport(index));
  case ExplainView::Io:
    return ioJson(index, ioReport(index));
  }
  return {};
}

std::string explainText(const fbs::Plan &plan, const std::vector<ExplainView> &views) {
  PlanIndex index(plan);
  std::string text;
  for (ExplainView view : views)
    text += (text.empty() ? "" : "\n") + textOf(index, view);
  return text;
}

std::string explainJson(const fbs::Plan &plan, const std::vector<ExplainView> &views) {
  PlanIndex index(plan);
  nlohmann::ordered_json json;
  if (views.size() == 1)
    json = jsonOf(index, views[0]);
  else
    for (ExplainView view : views)
      json[nameOf(view)] = jsonOf(index, view);
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

} // namespace zp::rt

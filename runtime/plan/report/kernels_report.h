// Which kernels a plan runs, how much arithmetic they do, and in which precision everything is kept.
#ifndef ZP_RUNTIME_PLAN_REPORT_KERNELS_REPORT_H
#define ZP_RUNTIME_PLAN_REPORT_KERNELS_REPORT_H

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "runtime/plan/report/plan_index.h"
#include "runtime/schema/dtypes.h"

namespace zp::rt {

/// Of all instructions of one op in an entry.
struct OpSums {
  uint64_t count = 0;
  double operations = 0;                  ///< floating point (operations.h)
  uint64_t bytes = 0;                     ///< of its operands, each as often as it is read or written
  std::map<std::string, uint64_t> dtypes; ///< of the first operand that is no index, with how many instructions have it
  uint64_t branches = 0;                  ///< instructions that take an adapter's branch along
  void add(const OpSums &other, uint64_t times);
};
using OpTable = std::map<std::string, OpSums>;

/// What is kept in which precision. Empty text: the plan has no such thing.
struct PrecisionReport {
  std::string compute;       ///< of products and of what lies between them
  std::string frozenFloats;  ///< weights that are not trained and not in 4 bits
  std::string codes;         ///< format of the 4-bit weights
  std::string quantStorage;  ///< the label that their files carry
  std::string trainableCopy; ///< what forward and backward read of the trained weights
  std::string masters, moments, gradients;
  std::string lossScale;   ///< of fp16
  std::string adapterFile; ///< or model file
  double codesElements = 0, codesBytes = 0;
  double frozenElements = 0, trainableElements = 0;
};

struct KernelsReport {
  std::vector<OpTable> entries;
  OpTable update;
  PrecisionReport precision;
};

KernelsReport kernelsReport(const PlanIndex &index);
nlohmann::ordered_json kernelsJson(const PlanIndex &index, const KernelsReport &report);
std::string kernelsText(const PlanIndex &index, const KernelsReport &report);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_REPORT_KERNELS_REPORT_H

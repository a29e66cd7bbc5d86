#include "runtime/trainer/micro_batch.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "runtime/schema/plan_generated.h"
#include "runtime/trainer/plan_entries.h"

namespace zp::rt {

static Status misfit(std::string_view name, const char *expected) {
  return Status(ErrorCode::PlanInvalid, "plan: entries: " + std::string(name) + " is not " + expected + "; compile the plan again");
}

Status fillTokens(Executor &executor, const fbs::Entry &entry, const TokenDataset &dataset, std::span<const int64_t> rows) {
  for (size_t c = 0; c < kTokenColumns.size(); ++c) {
    uint32_t tensor = inputOf(entry, kTokenColumns[c]);
    if (tensor == kNoTensor)
      continue; // an entry takes the columns that its instructions read
    TensorView view = executor.view(tensor);
    auto column = static_cast<TokenColumn>(c);
    const uint64_t length = isSource(column) ? dataset.sourceLength() : entry.length();
    if (!view || view.dtype != DType::I32 || static_cast<uint64_t>(view.elements()) != rows.size() * length)
      return misfit(kTokenColumns[c], "an i32 tensor of rows · length elements");
    for (size_t i = 0; i < rows.size(); ++i) {
      int32_t *out = view.as<int32_t>() + i * length;
      if (rows[i] < 0)
        TokenDataset::copyPadding(column, length, out);
      else
        dataset.copy(column, static_cast<uint64_t>(rows[i]), length, out);
    }
  }
  return {};
}

Status fillScalars(Executor &executor, const fbs::Entry &entry, const StepScalars &scalars) {
  uint32_t tensor = inputOf(entry, "scalars");
  if (tensor == kNoTensor)
    return {};
  TensorView view = executor.view(tensor);
  if (!view || view.bytes() != sizeof scalars)
    return misfit("scalars", "a block of 64 bytes");
  std::memcpy(view.data, &scalars, sizeof scalars);
  return {};
}

Status readDoubles(Executor &executor, const fbs::Entry &entry, std::string_view name, std::span<double> out) {
  uint32_t tensor = outputOf(entry, name);
  TensorView view = tensor == kNoTensor ? TensorView{} : executor.view(tensor);
  if (!view || view.dtype != DType::F64 || static_cast<uint64_t>(view.elements()) > out.size())
    return misfit(name, "an f64 output");
  std::fill(out.begin(), out.end(), std::numeric_limits<double>::quiet_NaN());
  std::memcpy(out.data(), view.data, view.bytes());
  return {};
}

} // namespace zp::rt

#include "runtime/plan/report/operations.h"

#include <algorithm>

#include "runtime/plan/plan_checker.h"

namespace zp::rt {

double attendedPairs(int64_t length, int64_t keyLength, bool causal, int64_t window) {
  const auto rows = static_cast<double>(length);
  if (!causal)
    return rows * static_cast<double>(keyLength);
  if (window <= 0 || window >= length)
    return rows * (rows + 1) / 2;
  const auto reach = static_cast<double>(window);
  return reach * (reach + 1) / 2 + (rows - reach) * reach;
}

double operationsOf(const PlanIndex &index, const fbs::Instruction &instruction) {
  const auto *operands = instruction.operands();
  auto dim = [&](uint32_t operand, uint32_t i) {
    const fbs::Tensor &tensor = index.tensor(operands->Get(operand));
    return i < tensor.dims()->size() ? static_cast<double>(tensor.dims()->Get(i)) : 1.0;
  };
  auto given = [&](uint32_t operand) { return operands->Get(operand) != kAbsent; };
  // `products`: of query, key or value with something, each two operations for a pair and a feature of a head.
  auto attention = [&](const auto &op, uint32_t query, double products) {
    const double rows = op.length() > 0 ? dim(query, 0) / static_cast<double>(op.length()) : 0;
    return 2 * products * rows * attendedPairs(op.length(), op.key_length(), op.causal(), op.window()) * dim(query, 1);
  };
  // `output` and `branch`: the operands of the target and of the branch's first factor.
  auto branched = [&](uint32_t output, uint32_t branch) { return given(branch) ? 2 * dim(output, 0) * dim(output, 1) * dim(branch, 1) : 0.0; };
  switch (instruction.op_type()) {
  case fbs::OpAttrs::Matmul: {
    const auto &op = *instruction.op_as_Matmul();
    return 2 * dim(6, 0) * dim(6, 1) * dim(0, op.transpose_a() ? 0 : 1) + branched(6, 3);
  }
  case fbs::OpAttrs::NF4Matmul: {
    const auto &op = *instruction.op_as_NF4Matmul();
    return 2 * dim(0, 0) * static_cast<double>(op.rows()) * static_cast<double>(op.columns()) + branched(7, 3);
  }
  case fbs::OpAttrs::Attention: // scores, output
    return attention(*instruction.op_as_Attention(), 0, 2);
  case fbs::OpAttrs::AttentionGradient: // scores again, and the gradients of probabilities, value, query and key
    return attention(*instruction.op_as_AttentionGradient(), 1, 5);
  case fbs::OpAttrs::LinearCrossEntropy: // logits, and for each gradient a product of that size
    return 2 * (1.0 + given(5) + given(6)) * dim(0, 0) * dim(1, 0) * dim(1, 1);
  default:
    return 0;
  }
}

} // namespace zp::rt

#include <algorithm>

#include "runtime/kernels/cuda/branch.h"
#include "runtime/kernels/cuda/dequantize.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {

/// Panel by panel: a panel of the weight gives so many columns of the target, whole sums, so that nothing is rounded twice for being
/// cut. A panel lies in the workspace; where the plan gives none, in the stream's scratch.
Status run(const Context &context, const NF4MatmulArgs &args) {
  const QuantRecords format{static_cast<QuantType>(args.quantType), static_cast<uint64_t>(args.blockSize), args.nested};
  const DType dtype = args.a.dtype;
  const int64_t m = args.target.dims[0], n = args.target.dims[1], k = args.a.dims[1];
  const bool given = args.workspace && args.workspace.bytes() > kScratchBytes;
  void *panelMemory = given ? args.workspace.data : context.scratch;
  const auto room = static_cast<int64_t>((given ? args.workspace.bytes() : kScratchBytes) / bytesOf(dtype, static_cast<uint64_t>(k)));
  if (room == 0)
    return Status(ErrorCode::PlanInvalid, "nf4_matmul: its workspace has no room for one of " + std::to_string(k) +
                                              " elements, expected a panel of some; compile the plan again with --target cuda");
  constexpr int64_t kStep = 64; // columns of a panel begin where packs and blocks do
  const int64_t panelColumns = room < kStep ? room : room / kStep * kStep;
  Product product;
  product.m = m;
  product.k = k;
  product.a = args.a.data;
  product.b = panelMemory;
  product.strideA = k;
  product.strideTarget = n;
  product.transposeB = args.transpose;
  product.accumulate = args.accumulate;
  product.dtype = product.targetDtype = dtype;
  product.alpha = args.alpha;
  for (int64_t first = 0; first < n; first += panelColumns) {
    product.n = std::min(panelColumns, n - first);
    product.strideB = args.transpose ? k : product.n;
    product.target = args.target.as<uint8_t>() + bytesOf(dtype, static_cast<uint64_t>(first));
    product.bias = args.bias ? args.bias.as<uint8_t>() + bytesOf(dtype, static_cast<uint64_t>(first)) : nullptr;
    const Panel panel = args.transpose ? Panel{first, product.n, 0, args.columns, args.columns} : Panel{0, args.rows, first, product.n, args.columns};
    dequantize(context, args.weight.data, format, panel, panelMemory, dtype);
    ZP_RETURN_IF_ERROR(context.products->multiply(product, context.stream));
  }
  if (!args.branchA)
    return {};
  product.n = n;
  product.target = args.target.data;
  return context.products->multiply(branchOf(product, args.branchA, args.branchB, args.transpose, args.branchAlpha), context.stream);
}

} // namespace zp::rt::cuda

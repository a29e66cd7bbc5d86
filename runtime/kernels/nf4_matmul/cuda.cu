#include <algorithm>

#include "runtime/kernels/cuda/branch.h"
#include "runtime/kernels/cuda/dequantize.h"
#include "runtime/kernels/cuda/kernels.h"
#include "runtime/kernels/nf4_matmul/cuda_few_rows_tiled.h"
#include "runtime/kernels/nf4_matmul/cuda_panels.h"

namespace zp::rt::cuda {
namespace {

constexpr uint64_t kAlone = 4u << 20; // bytes of a weight that isn't cut for the sake of overlap: launches cost more than it gives
constexpr uint64_t kKept = 64u << 20; // of a weight that is kept: two panels as they would have in a workspace
constexpr uint64_t kPanelAlignment = 256;

/// How a weight is dequantised: so many columns of the target at a time.
struct Panels {
  uint8_t *memory = nullptr;
  uint64_t step = 0;   ///< bytes from a place to the next
  int64_t columns = 0; ///< of a panel; 0: there is no room for one
  int64_t places = 1;  ///< which panels take in turn
  bool ahead = false;  ///< the next is filled aside, while one is multiplied by
  bool kept = false;   ///< each has a place of its own

  void *at(int64_t number) const { return memory + static_cast<uint64_t>(kept ? number : number % places) * step; }
};

/// Panels of half the room are filled in turn, one ahead of the product, where that costs no more than panels of the whole room.
Panels cut(const Context &context, const NF4MatmulArgs &args, const CutProduct &product) {
  const TensorView &memory = args.floats ? args.floats : args.workspace;
  Panels panels;
  panels.memory = memory ? memory.as<uint8_t>() : static_cast<uint8_t *>(context.scratch);
  panels.kept = static_cast<bool>(args.floats);
  const uint64_t whole = static_cast<uint64_t>(product.n) * product.columnBytes;
  const uint64_t room = panels.kept ? whole : memory ? memory.bytes() : kScratchBytes;
  const PanelWidth alone = panels.kept ? widthOf(product, product.n, false) : bestWidth(product, room, false);
  panels.columns = alone.columns;
  panels.step = room;
  if (!context.aside || whole <= kAlone || (panels.kept && !args.transpose)) // columns of a weight that isn't transposed lie apart in it
    return panels;
  const uint64_t half = (panels.kept ? std::min(whole, kKept) : room) / 2 / kPanelAlignment * kPanelAlignment;
  const PanelWidth paired = bestWidth(product, half, true);
  if (paired.cost > alone.cost || paired.columns >= product.n)
    return panels;
  panels.ahead = true;
  panels.columns = paired.columns;
  panels.places = 2;
  panels.step = panels.kept ? static_cast<uint64_t>(panels.columns) * product.columnBytes : half;
  return panels;
}

/// Of a transposed weight, at most kFewRows rows.
void multiplyFewRows(const Context &context, const NF4MatmulArgs &args, const QuantRecords &format) {
  const Records records = recordsAt(args.weight.data, format);
  withElement(args.a.dtype, [&](auto element) {
    using T = decltype(element);
    const FewRows<T> p{args.a.as<T>(),
                       args.bias.as<T>(),
                       args.branchA.as<T>(),
                       args.branchB.as<T>(),
                       args.target.as<T>(),
                       args.target.dims[0],
                       args.target.dims[1],
                       args.a.dims[1],
                       args.branchA ? args.branchA.dims[1] : 0,
                       static_cast<float>(args.alpha),
                       static_cast<float>(args.branchAlpha),
                       args.accumulate};
    if constexpr (sizeof(T) == 2)
      if (isTiled(p, records))
        return launchTiled(context, format, records, p);
    launchFewRows(context, format, records, p);
  });
}

} // namespace

/// Of few rows, see cuda_few_rows_tiled.h. Else panel by panel: a panel of the weight gives so many columns of the target, whole sums, so that
/// nothing is rounded twice for being cut. Panels lie in the workspace; where the plan gives none, in the stream's scratch; where it wants the
/// floats, there. While one is multiplied by, the next is filled aside.
Status run(const Context &context, const NF4MatmulArgs &args) {
  const QuantRecords format{static_cast<QuantType>(args.quantType), static_cast<uint64_t>(args.blockSize), args.nested};
  if (args.transpose && !args.floats && args.a.dims[0] <= kFewRows) {
    multiplyFewRows(context, args, format);
    return {};
  }
  const DType dtype = args.a.dtype;
  const int64_t m = args.target.dims[0], n = args.target.dims[1], k = args.a.dims[1];
  const Panels panels = cut(context, args, {m, n, k, context.multiprocessors, bytesOf(dtype, static_cast<uint64_t>(k))});
  if (panels.columns == 0)
    return Status(ErrorCode::PlanInvalid, "nf4_matmul: its workspace has no room for one of " + std::to_string(k) +
                                              " elements, expected a panel of some; compile the plan again with --target cuda");
  Product product;
  product.m = m;
  product.n = n;
  product.k = k;
  product.a = args.a.data;
  product.target = args.target.data;
  product.strideA = k;
  product.strideTarget = n;
  product.transposeB = args.transpose;
  product.accumulate = args.accumulate;
  product.dtype = product.targetDtype = dtype;
  product.alpha = args.alpha;
  ZP_RETURN_IF_ERROR(multiplyBranch(context, product, args));
  Context aside = context;
  aside.stream = context.aside;
  auto fill = [&](const Context &where, int64_t first) {
    const int64_t columns = std::min(panels.columns, n - first);
    const Panel panel = args.transpose ? Panel{first, columns, 0, args.columns, args.columns} : Panel{0, args.rows, first, columns, args.columns};
    dequantize(where, args.weight.data, format, panel, panels.at(first / panels.columns), dtype);
  };
  fill(context, 0);
  for (int64_t first = 0; first < n; first += panels.columns) {
    const int64_t next = first + panels.columns;
    if (panels.ahead && next < n) {
      if (!panels.kept || first == 0) { // the product before this one has been asked for: the place that it reads is free after it
        ZP_RETURN_IF_ERROR(record(context.parting, context.stream));
        ZP_RETURN_IF_ERROR(wait(context.parting, context.aside));
      }
      fill(aside, next);
      ZP_RETURN_IF_ERROR(record(context.meeting, context.aside));
    }
    product.n = std::min(panels.columns, n - first);
    product.b = panels.at(first / panels.columns);
    product.strideB = args.transpose ? k : product.n;
    product.target = args.target.as<uint8_t>() + bytesOf(dtype, static_cast<uint64_t>(first));
    product.bias = args.bias ? args.bias.as<uint8_t>() + bytesOf(dtype, static_cast<uint64_t>(first)) : nullptr;
    ZP_RETURN_IF_ERROR(context.products->multiply(product, context.stream));
    if (next >= n)
      break;
    if (panels.ahead)
      ZP_RETURN_IF_ERROR(wait(context.meeting, context.stream));
    else
      fill(context, next);
  }
  return {};
}

} // namespace zp::rt::cuda

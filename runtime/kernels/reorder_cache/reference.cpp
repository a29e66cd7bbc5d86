#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"

#include <vector>

namespace zp::rt::reference {

void run(const KernelContext &context, const ReorderCacheArgs &args) {
  int64_t rows = args.rows.dims[0], elements = args.cache.elements() / rows;
  std::vector<double> before(static_cast<size_t>(args.cache.elements()));
  for (size_t i = 0; i < before.size(); ++i)
    before[i] = loadElement(args.cache, static_cast<int64_t>(i));
  for (int64_t row = 0; row < rows; ++row) {
    int64_t source = args.rows.as<int32_t>()[row];
    for (int64_t i = 0; source >= 0 && source < rows && i < elements; ++i)
      storeElement(args.cache, row * elements + i, before[static_cast<size_t>(source * elements + i)]);
  }
}

} // namespace zp::rt::reference

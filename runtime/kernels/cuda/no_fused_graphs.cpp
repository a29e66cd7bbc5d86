// Where this was built without cudnn.h or cudnn-frontend.
#include "runtime/kernels/cuda/fused_graphs.h"

namespace zp::rt::cuda {

StatusOr<std::unique_ptr<FusedGraphs>> createFusedGraphs(const Properties &) {
  return Status(ErrorCode::Config, "this program was built without cuDNN's headers, expected cudnn.h and cudnn_frontend.h; see "
                                   "scripts/install-cudnn-frontend.sh");
}

} // namespace zp::rt::cuda

#include <array>
#include <dlfcn.h>
#include <map>

#include <cublasLt.h>

#include "runtime/kernels/cuda/products.h"

namespace zp::rt::cuda {
namespace {

constexpr const char *kLibrary = "libcublasLt.so.13";
constexpr uint64_t kWorkspaceBytes = 32u << 20; // of a stream; in the target's reserve

/// What we call, found in the library when the first plan for a GPU runs.
struct Library {
#define ZP_CUBLASLT(X)                                                                                                                               \
  X(cublasLtCreate)                                                                                                                                  \
  X(cublasLtMatmul)                                                                                                                                  \
  X(cublasLtMatmulAlgoGetHeuristic)                                                                                                                  \
  X(cublasLtMatmulDescCreate)                                                                                                                        \
  X(cublasLtMatmulDescDestroy)                                                                                                                       \
  X(cublasLtMatmulDescSetAttribute)                                                                                                                  \
  X(cublasLtMatrixLayoutCreate)                                                                                                                      \
  X(cublasLtMatrixLayoutDestroy)                                                                                                                     \
  X(cublasLtMatmulPreferenceCreate)                                                                                                                  \
  X(cublasLtMatmulPreferenceDestroy)                                                                                                                 \
  X(cublasLtMatmulPreferenceSetAttribute)
#define ZP_MEMBER(name) decltype(&::name) name = nullptr;
  ZP_CUBLASLT(ZP_MEMBER)
#undef ZP_MEMBER

  Status open() {
    void *handle = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
      return Status(ErrorCode::Config, std::string("cuda: ") + dlerror() + ", expected " + kLibrary +
                                           " where the loader looks; install cuBLAS of CUDA 13, or add its folder to LD_LIBRARY_PATH");
#define ZP_FIND(name)                                                                                                                                \
  if (!(name = reinterpret_cast<decltype(name)>(dlsym(handle, #name))))                                                                              \
    return Status(ErrorCode::Config, std::string("cuda: ") + kLibrary + " has no " #name ", expected that of CUDA 13; install cuBLAS of CUDA 13");
    ZP_CUBLASLT(ZP_FIND)
#undef ZP_FIND
    return {};
  }
};

Status statusOf(cublasStatus_t status, const char *what) {
  if (status == CUBLAS_STATUS_SUCCESS)
    return {};
  return Status(ErrorCode::Config, std::string("cuda: ") + what + ": cuBLAS status " + std::to_string(status) + ", expected success");
}

cudaDataType_t typeOf(DType dtype) { return dtype == DType::F32 ? CUDA_R_32F : dtype == DType::BF16 ? CUDA_R_16BF : CUDA_R_16F; }

/// A product's shape with descriptors and the algorithm that the library's heuristic puts first. Made once.
struct Prepared {
  cublasLtMatmulDesc_t operation = nullptr;
  cublasLtMatrixLayout_t first = nullptr, second = nullptr, target = nullptr;
  cublasLtMatmulAlgo_t algorithm{};
};

class CublasLtProducts final : public Products {
public:
  Status open() {
    ZP_RETURN_IF_ERROR(library.open());
    return statusOf(library.cublasLtCreate(&handle), "cublasLtCreate");
  }
  ~CublasLtProducts() override {
    for (auto &[key, prepared] : known) {
      library.cublasLtMatmulDescDestroy(prepared.operation);
      for (cublasLtMatrixLayout_t layout : {prepared.first, prepared.second, prepared.target})
        library.cublasLtMatrixLayoutDestroy(layout);
    }
    for (auto &[stream, memory] : workspaces)
      freeDevice(memory);
  }

  /// The library's matrices go down columns: row-major C = A·B is its Cᵀ = Bᵀ·Aᵀ on the same memory.
  Status multiply(const Product &p, Stream stream) override {
    ZP_ASSIGN_OR_RETURN(const Prepared *prepared, prepare(p));
    ZP_ASSIGN_OR_RETURN(void *workspace, workspaceOf(stream));
    // The epilogue's vector differs from call to call, its descriptor does not.
    if (p.bias)
      ZP_RETURN_IF_ERROR(set(prepared->operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias));
    const auto alpha = static_cast<float>(p.alpha), beta = p.accumulate ? 1.0f : 0.0f;
    return statusOf(library.cublasLtMatmul(handle, prepared->operation, &alpha, p.b, prepared->first, p.a, prepared->second, &beta, p.target,
                                           prepared->target, p.target, prepared->target, &prepared->algorithm, workspace, kWorkspaceBytes,
                                           static_cast<cudaStream_t>(stream)),
                    "cublasLtMatmul");
  }

private:
  using Key = std::array<int64_t, 12>;
  static Key keyOf(const Product &p) {
    return {p.m, p.n, p.k, p.strideA, p.strideB, p.strideTarget, p.transposeA, p.transposeB, p.accumulate, p.bias != nullptr,
            static_cast<int64_t>(p.dtype), static_cast<int64_t>(p.targetDtype)};
  }

  template <typename T> Status set(cublasLtMatmulDesc_t operation, cublasLtMatmulDescAttributes_t attribute, const T &value) {
    return statusOf(library.cublasLtMatmulDescSetAttribute(operation, attribute, &value, sizeof value), "cublasLtMatmulDescSetAttribute");
  }
  Status layout(cublasLtMatrixLayout_t &made, DType dtype, int64_t rows, int64_t columns, int64_t stride) {
    return statusOf(library.cublasLtMatrixLayoutCreate(&made, typeOf(dtype), static_cast<uint64_t>(rows), static_cast<uint64_t>(columns), stride),
                    "cublasLtMatrixLayoutCreate");
  }

  StatusOr<const Prepared *> prepare(const Product &p) {
    auto [place, isNew] = known.insert({keyOf(p), {}});
    Prepared &made = place->second;
    if (!isNew)
      return static_cast<const Prepared *>(&made);
    ZP_RETURN_IF_ERROR(statusOf(library.cublasLtMatmulDescCreate(&made.operation, CUBLAS_COMPUTE_32F, CUDA_R_32F), "cublasLtMatmulDescCreate"));
    const cublasOperation_t first = p.transposeB ? CUBLAS_OP_T : CUBLAS_OP_N, second = p.transposeA ? CUBLAS_OP_T : CUBLAS_OP_N;
    ZP_RETURN_IF_ERROR(set(made.operation, CUBLASLT_MATMUL_DESC_TRANSA, first));
    ZP_RETURN_IF_ERROR(set(made.operation, CUBLASLT_MATMUL_DESC_TRANSB, second));
    if (p.bias) {
      ZP_RETURN_IF_ERROR(set(made.operation, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS));
      ZP_RETURN_IF_ERROR(set(made.operation, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, typeOf(p.targetDtype)));
      ZP_RETURN_IF_ERROR(set(made.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias));
    }
    ZP_RETURN_IF_ERROR(layout(made.first, p.dtype, p.transposeB ? p.k : p.n, p.transposeB ? p.n : p.k, p.strideB));
    ZP_RETURN_IF_ERROR(layout(made.second, p.dtype, p.transposeA ? p.m : p.k, p.transposeA ? p.k : p.m, p.strideA));
    ZP_RETURN_IF_ERROR(layout(made.target, p.targetDtype, p.n, p.m, p.strideTarget));
    cublasLtMatmulPreference_t preference = nullptr;
    ZP_RETURN_IF_ERROR(statusOf(library.cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate"));
    Status status = statusOf(library.cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &kWorkspaceBytes,
                                                                          sizeof kWorkspaceBytes),
                             "cublasLtMatmulPreferenceSetAttribute");
    cublasLtMatmulHeuristicResult_t best{};
    int found = 0;
    if (status.ok())
      status = statusOf(library.cublasLtMatmulAlgoGetHeuristic(handle, made.operation, made.first, made.second, made.target, made.target, preference,
                                                               1, &best, &found),
                        "cublasLtMatmulAlgoGetHeuristic");
    library.cublasLtMatmulPreferenceDestroy(preference);
    ZP_RETURN_IF_ERROR(status);
    if (found == 0)
      return Status(ErrorCode::Config, "cuda: cuBLASLt has no algorithm for a product of " + std::to_string(p.m) + "x" + std::to_string(p.n) + "x" +
                                           std::to_string(p.k) + ", expected one; compile with another batch or length");
    made.algorithm = best.algo;
    return static_cast<const Prepared *>(&made);
  }

  StatusOr<void *> workspaceOf(Stream stream) {
    auto [place, isNew] = workspaces.insert({stream, nullptr});
    if (isNew) {
      ZP_ASSIGN_OR_RETURN(place->second, allocateDevice(kWorkspaceBytes));
    }
    return place->second;
  }

  Library library;
  cublasLtHandle_t handle = nullptr;
  std::map<Key, Prepared> known;
  std::map<Stream, void *> workspaces;
};

} // namespace

StatusOr<std::unique_ptr<Products>> createProducts() {
  auto products = std::make_unique<CublasLtProducts>();
  ZP_RETURN_IF_ERROR(products->open());
  return std::unique_ptr<Products>(std::move(products));
}

} // namespace zp::rt::cuda

#include <array>
#include <dlfcn.h>
#include <map>

#include <cublasLt.h>

#include "runtime/device/cuda/library.h"
#include "runtime/kernels/cuda/cublas_errors.h"
#include "runtime/kernels/cuda/products.h"

namespace zp::rt::cuda {
namespace {

#define ZP_TEXT_OF(macro) #macro
#define ZP_LIBRARY(major) "libcublasLt.so." ZP_TEXT_OF(major)
constexpr const char *kLibrary = ZP_LIBRARY(CUBLAS_VER_MAJOR); // whose header this is compiled with
constexpr uint64_t kWorkspaceBytes = 32u << 20;                // of a stream; in the target's reserve
constexpr uint32_t kMostAlignment = 256;                       // more changes no algorithm

/// What we call, found in the library when the first plan for a GPU runs.
struct Library {
#define ZP_CUBLASLT(X)                                                                                                                               \
  X(cublasLtCreate)                                                                                                                                  \
  X(cublasLtDestroy)                                                                                                                                 \
  X(cublasLtGetVersion)                                                                                                                              \
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
    std::string why;
    void *handle = openLibrary(kLibrary, why);
    if (!handle)
      return Status(ErrorCode::Config, "cuda: " + why + ", expected " + kLibrary +
                                           " where the loader looks; install cuBLAS of that version, or add its folder to LD_LIBRARY_PATH");
#define ZP_FIND(name)                                                                                                                                \
  if (!(name = reinterpret_cast<decltype(name)>(dlsym(handle, #name))))                                                                              \
    return Status(ErrorCode::Config, std::string("cuda: ") + kLibrary + " has no " #name ", expected that of this build; install a newer cuBLAS");
    ZP_CUBLASLT(ZP_FIND)
#undef ZP_FIND
    return {};
  }
};

Status statusOf(cublasStatus_t status, const char *what) { return statusOfCublas(status, what); }

cudaDataType_t typeOf(DType dtype) { return dtype == DType::F32 ? CUDA_R_32F : dtype == DType::BF16 ? CUDA_R_16BF : CUDA_R_16F; }

/// The largest power of two that an address is a multiple of, as far as it matters.
uint32_t alignmentOf(const void *place) {
  const auto address = reinterpret_cast<uintptr_t>(place);
  return address % kMostAlignment == 0 ? kMostAlignment : static_cast<uint32_t>(address & -address);
}

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
  Status reserve(Stream stream) override { return workspaceOf(stream).status(); }
  ~CublasLtProducts() override {
    for (auto &[key, prepared] : known)
      release(prepared);
    for (auto &[stream, memory] : workspaces)
      freeDevice(memory);
    if (handle)
      library.cublasLtDestroy(handle);
  }

  /// The library's matrices go down columns: row-major C = A·B is its Cᵀ = Bᵀ·Aᵀ on the same memory.
  Status multiply(const Product &p, Stream stream) override {
    ZP_ASSIGN_OR_RETURN(const Prepared *prepared, find(p));
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
  /// What an algorithm is chosen by: it may rely on where the operands lie.
  using Key = std::array<int64_t, 16>;
  static Key keyOf(const Product &p) {
    return {p.m,
            p.n,
            p.k,
            p.strideA,
            p.strideB,
            p.strideTarget,
            p.transposeA,
            p.transposeB,
            p.accumulate,
            p.bias != nullptr,
            static_cast<int64_t>(p.dtype),
            static_cast<int64_t>(p.targetDtype),
            alignmentOf(p.a),
            alignmentOf(p.b),
            alignmentOf(p.target),
            p.bias ? alignmentOf(p.bias) : 0}; // the heuristic sees the pointer of the bias
  }

  template <typename T> Status set(cublasLtMatmulDesc_t operation, cublasLtMatmulDescAttributes_t attribute, const T &value) {
    return statusOf(library.cublasLtMatmulDescSetAttribute(operation, attribute, &value, sizeof value), "cublasLtMatmulDescSetAttribute");
  }
  template <typename T> Status prefer(cublasLtMatmulPreference_t preference, cublasLtMatmulPreferenceAttributes_t attribute, const T &value) {
    return statusOf(library.cublasLtMatmulPreferenceSetAttribute(preference, attribute, &value, sizeof value),
                    "cublasLtMatmulPreferenceSetAttribute");
  }
  Status layout(cublasLtMatrixLayout_t &made, DType dtype, int64_t rows, int64_t columns, int64_t stride) {
    return statusOf(library.cublasLtMatrixLayoutCreate(&made, typeOf(dtype), static_cast<uint64_t>(rows), static_cast<uint64_t>(columns), stride),
                    "cublasLtMatrixLayoutCreate");
  }

  StatusOr<const Prepared *> find(const Product &p) {
    const Key key = keyOf(p);
    auto place = known.find(key);
    if (place == known.end()) {
      Prepared made;
      if (Status status = prepare(p, made); !status.ok()) {
        release(made);
        return status;
      }
      place = known.emplace(key, made).first;
    }
    return static_cast<const Prepared *>(&place->second);
  }

  Status prepare(const Product &p, Prepared &made) {
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
    const Status status = choose(p, preference, made);
    library.cublasLtMatmulPreferenceDestroy(preference);
    return status;
  }

  Status choose(const Product &p, cublasLtMatmulPreference_t preference, Prepared &made) {
    ZP_RETURN_IF_ERROR(prefer(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kWorkspaceBytes));
    // Where K is split, its parts are added in f32 and in one order: in the target's dtype they would be rounded once a part.
    const uint32_t reduction = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
    ZP_RETURN_IF_ERROR(prefer(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, reduction));
    ZP_RETURN_IF_ERROR(prefer(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignmentOf(p.b)));
    ZP_RETURN_IF_ERROR(prefer(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignmentOf(p.a)));
    ZP_RETURN_IF_ERROR(prefer(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignmentOf(p.target)));
    ZP_RETURN_IF_ERROR(prefer(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignmentOf(p.target)));
    cublasLtMatmulHeuristicResult_t best{};
    int found = 0;
    const cublasStatus_t asked = library.cublasLtMatmulAlgoGetHeuristic(handle, made.operation, made.first, made.second, made.target, made.target,
                                                                        preference, 1, &best, &found);
    if (asked == CUBLAS_STATUS_NOT_SUPPORTED || (asked == CUBLAS_STATUS_SUCCESS && (found == 0 || best.state != CUBLAS_STATUS_SUCCESS)))
      return noAlgorithm(p);
    ZP_RETURN_IF_ERROR(statusOf(asked, "cublasLtMatmulAlgoGetHeuristic"));
    made.algorithm = best.algo;
    return {};
  }

  Status noAlgorithm(const Product &p) {
    auto matrix = [](const char *name, DType dtype, bool transposed, int64_t stride, const void *place) {
      return std::string(name) + ": " + textOf(dtype) + (transposed ? " transposed" : "") + ", rows " + std::to_string(stride) +
             " elements apart, at a multiple of " + std::to_string(alignmentOf(place)) + " bytes; ";
    };
    return Status(ErrorCode::Config, "cuda: cuBLASLt " + std::to_string(library.cublasLtGetVersion()) + " has no algorithm for a product of " +
                                         std::to_string(p.m) + "x" + std::to_string(p.n) + "x" + std::to_string(p.k) + " (" +
                                         matrix("a", p.dtype, p.transposeA, p.strideA, p.a) + matrix("b", p.dtype, p.transposeB, p.strideB, p.b) +
                                         matrix("target", p.targetDtype, false, p.strideTarget, p.target) + (p.bias ? "a bias; " : "") +
                                         std::to_string(kWorkspaceBytes) +
                                         " bytes of workspace), expected one; use a newer cuBLAS, or compile with another batch or length");
  }

  void release(Prepared &prepared) {
    if (prepared.operation)
      library.cublasLtMatmulDescDestroy(prepared.operation);
    for (cublasLtMatrixLayout_t layout : {prepared.first, prepared.second, prepared.target})
      if (layout)
        library.cublasLtMatrixLayoutDestroy(layout);
  }

  StatusOr<void *> workspaceOf(Stream stream) {
    auto place = workspaces.find(stream);
    if (place == workspaces.end()) {
      ZP_ASSIGN_OR_RETURN(void *memory, allocateDevice(kWorkspaceBytes));
      place = workspaces.emplace(stream, memory).first;
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

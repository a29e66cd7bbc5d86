#include "runtime/kernels/cuda/fused_graphs_cudnn.h"

#include <cstdlib>
#include <dlfcn.h>

// Functions of cuDNN are looked up in the library that `cudnn_dlhandle` is; it is loaded when the first plan with attention runs.
#define NV_CUDNN_FRONTEND_USE_DYNAMIC_LOADING
#define CUDNN_FRONTEND_SKIP_JSON_LIB
#include <cudnn_frontend.h>

#include "runtime/device/cuda/library.h"

namespace cudnn_frontend {
void *cudnn_dlhandle = nullptr;
}

namespace zp::rt::cuda {
namespace {

namespace fe = cudnn_frontend;
using fe::graph::Pointwise_attributes;
using fe::graph::Tensor_attributes;
using Tensor = std::shared_ptr<Tensor_attributes>;
using GraphPointer = std::shared_ptr<fe::graph::Graph>;
using Sizes = std::vector<int64_t>;

#define ZP_TEXT_OF(macro) #macro
#define ZP_LIBRARY(major) "libcudnn.so." ZP_TEXT_OF(major)
constexpr const char *kLibrary = ZP_LIBRARY(CUDNN_MAJOR); // whose header this is compiled with
constexpr const char *kRuntimeVariable = "CUDNN_FRONTEND_CUDART_LIB_NAME";
const std::string kRuntime = "libcudart.so." + std::to_string(CUDART_VERSION / 1000);
/// The oldest cuDNN whose plans for these graphs have been looked at.
constexpr size_t kOldestVersion = 91900;

std::string textOfVersion(size_t version) {
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." + std::to_string(version % 100);
}

/// Operands by the number that graphs know them by.
enum Uid : int64_t {
  kQuery = 1,
  kKey,
  kValue,
  kQuerySegments,
  kKeySegments,
  kBias,
  kOut,
  kStatistics, // of both directions
  kGradOut,
  kGradQuery,
  kGradKey,
  kGradValue
};

/// What the frontend says, and what it throws where a library lacks something. A case that isn't built is one of no use; one that doesn't run
/// is a fault of the device.
template <typename Body> Status statusOf(const char *what, const Body &body, ErrorCode code = ErrorCode::Config) {
  auto error = [&](const std::string &words) { return Status(code, std::string("cuda: cuDNN, ") + what + ": " + words + ", expected success"); };
  try {
    fe::error_t result = body();
    return result.is_good() ? Status() : error(result.get_message());
  } catch (const std::exception &exception) {
    return error(exception.what());
  }
}

/// The graph of one case: attention as cudnn-frontend has it, with the mask and the bias between scores and softmax written out.
class Description {
public:
  /// `capability`: parts of the graph keep it from when they are described.
  Description(const FusedCase &shape, int capability) : shape(shape), graph(std::make_shared<fe::graph::Graph>()) {
    graph->set_sm_version(capability);
    graph->set_io_data_type(shape.dtype == DType::BF16 ? fe::DataType_t::BFLOAT16 : fe::DataType_t::HALF)
        .set_intermediate_data_type(fe::DataType_t::FLOAT)
        .set_compute_data_type(fe::DataType_t::FLOAT);
    const int64_t length = shape.length;
    querySegments = input(kQuerySegments, {shape.rows, 1, length, 1}, {length, length, 1, 1}, fe::DataType_t::INT32);
    keySegments = input(kKeySegments, {shape.rows, 1, 1, length}, {length, length, length, 1}, fe::DataType_t::INT32);
    if (shape.biased)
      bias = input(kBias, {shape.rows, shape.heads, 1, length}, {length, shape.biasPitch, length, 1}, fe::DataType_t::FLOAT);
    shape.gradient ? describeGradient() : describeForward();
  }

  const FusedCase shape;
  GraphPointer graph;

private:
  /// Segments, statistics and biases are words, and where a row of theirs begins is a multiple of nothing more. (cuDNN takes 16 bytes for
  /// granted where nothing is said; operands of 16 bits have them, FusedAttention sees to it.)
  static constexpr int64_t kWordBytes = 4;

  Tensor input(Uid uid, Sizes sizes, Sizes strides, std::optional<fe::DataType_t> dtype = {}) {
    Tensor tensor = graph->tensor(Tensor_attributes().set_uid(uid).set_dim(sizes).set_stride(strides));
    if (dtype)
      tensor->set_data_type(*dtype).set_alignment(kWordBytes);
    return tensor;
  }
  void output(const Tensor &tensor, Uid uid, const Sizes &sizes, const Sizes &strides) {
    tensor->set_output(true).set_uid(uid).set_dim(sizes).set_stride(strides);
  }
  Sizes querySizes() const { return {shape.rows, shape.heads, shape.length, shape.headDim}; }
  Sizes queryStrides() const { return {shape.length * shape.queryPitch, shape.headDim, shape.queryPitch, 1}; }
  Sizes keySizes() const { return {shape.rows, shape.kvHeads, shape.length, shape.headDim}; }
  Sizes keyStrides() const { return {shape.length * shape.keyPitch, shape.headDim, shape.keyPitch, 1}; }
  Sizes statisticsSizes() const { return {shape.rows, shape.heads, shape.length, 1}; }
  Sizes statisticsStrides() const { return {shape.statisticsRowPitch, shape.statisticsHeadPitch, 1, 1}; }

  /// Scores with scale become scores with bias, minus infinity where a query doesn't see a key. Causality and window are
  /// last and in cuDNN's own words, as in its own attention: by that it may know tiles that can be left out.
  Tensor masked(GraphPointer part, Tensor scores) const {
    namespace modifiers = fe::graph::attn::score_modifiers;
    auto op = [](const char *name, fe::PointwiseMode_t mode, fe::DataType_t dtype) {
      return Pointwise_attributes().set_name(name).set_mode(mode).set_compute_data_type(dtype);
    };
    if (bias)
      scores = modifiers::bias(part, scores, bias);
    // Segments are compared where a tile is: cuDNN's comparisons want a first operand that was computed there, so the query's is
    // added to row - row.
    const Tensor row = part->pointwise(scores, op("row", fe::PointwiseMode_t::GEN_INDEX, fe::DataType_t::INT32).set_axis(2));
    row->set_data_type(fe::DataType_t::INT32);
    const Tensor zero = part->pointwise(row, row, op("zero", fe::PointwiseMode_t::SUB, fe::DataType_t::INT32));
    zero->set_data_type(fe::DataType_t::INT32);
    const Tensor segment = part->pointwise(zero, querySegments, op("segment", fe::PointwiseMode_t::ADD, fe::DataType_t::INT32));
    segment->set_data_type(fe::DataType_t::INT32);
    const Tensor same = part->pointwise(segment, keySegments, op("same_segment", fe::PointwiseMode_t::CMP_EQ, fe::DataType_t::BOOLEAN));
    same->set_data_type(fe::DataType_t::BOOLEAN);
    scores = part->pointwise(scores, std::make_shared<Tensor_attributes>(modifiers::get_negative_inf_value()), same,
                             op("mask_segments", fe::PointwiseMode_t::BINARY_SELECT, fe::DataType_t::FLOAT));
    if (shape.causal)
      scores = modifiers::sliding_window_mask(part, scores, fe::DiagonalAlignment_t::TOP_LEFT,
                                              shape.window ? std::optional<int64_t>(shape.window) : std::nullopt, 0, shape.length, shape.length,
                                              nullptr, nullptr);
    return scores;
  }

  void describeForward() {
    const Tensor query = input(kQuery, querySizes(), queryStrides()), key = input(kKey, keySizes(), keyStrides()),
                 value = input(kValue, keySizes(), keyStrides());
    const auto attributes = fe::graph::SDPA_attributes()
                                .set_name("attention")
                                .set_generate_stats(true)
                                .set_attn_scale(static_cast<float>(shape.scale))
                                .set_score_mod([this](GraphPointer part, Tensor scores) { return masked(part, scores); });
    auto [out, statistics] = graph->sdpa(query, key, value, attributes);
    output(out, kOut, querySizes(), queryStrides());
    output(statistics, kStatistics, statisticsSizes(), statisticsStrides());
    statistics->set_data_type(fe::DataType_t::FLOAT).set_alignment(kWordBytes);
  }

  void describeGradient() {
    const Tensor query = input(kQuery, querySizes(), queryStrides()), key = input(kKey, keySizes(), keyStrides()),
                 value = input(kValue, keySizes(), keyStrides()), out = input(kOut, querySizes(), queryStrides()),
                 gradOut = input(kGradOut, querySizes(), queryStrides()),
                 statistics = input(kStatistics, statisticsSizes(), statisticsStrides(), fe::DataType_t::FLOAT);
    // Probabilities are recomputed from masked scores, so what is masked has none, and its gradient needs no mask of its own.
    auto [gradQuery, gradKey, gradValue] =
        graph->sdpa_backward(query, key, value, out, gradOut, statistics,
                             fe::graph::SDPA_backward_attributes()
                                 .set_name("attention_gradient")
                                 .set_deterministic_algorithm(true)
                                 .set_attn_scale(static_cast<float>(shape.scale))
                                 .set_score_mod([this](GraphPointer part, Tensor scores) { return masked(part, scores); })
                                 .set_score_mod_bprop([](GraphPointer, Tensor gradient) { return gradient; }));
    output(gradQuery, kGradQuery, querySizes(), queryStrides());
    output(gradKey, kGradKey, keySizes(), keyStrides());
    output(gradValue, kGradValue, keySizes(), keyStrides());
  }

  Tensor querySegments, keySegments, bias;
};

class CudnnGraph final : public FusedGraph {
public:
  CudnnGraph(GraphPointer graph, uint64_t workspace, const FusedCase &shape, cudnnHandle_t handle)
      : graph(std::move(graph)), workspace(workspace), shape(shape), handle(handle) {}
  uint64_t workspaceBytes() const override { return workspace; }

  Status run(const FusedOperands &operands, void *workspaceMemory, Stream stream) override {
    std::unordered_map<int64_t, void *> pack{
        {kQuery, operands.query},          {kKey, operands.key}, {kValue, operands.value},         {kQuerySegments, operands.segments},
        {kKeySegments, operands.segments}, {kOut, operands.out}, {kStatistics, operands.logSumExp}};
    if (shape.biased)
      pack.emplace(kBias, operands.bias);
    if (shape.gradient)
      pack.insert({{kGradOut, operands.gradOut}, {kGradQuery, operands.gradQuery}, {kGradKey, operands.gradKey}, {kGradValue, operands.gradValue}});
    if (fe::detail::set_stream(handle, static_cast<cudaStream_t>(stream)) != CUDNN_STATUS_SUCCESS)
      return Status(ErrorCode::DeviceFault, "cuda: cudnnSetStream failed, expected success; see nvidia-smi");
    return statusOf(
        "execute", [&] { return graph->execute(handle, pack, workspaceMemory); }, ErrorCode::DeviceFault);
  }

private:
  GraphPointer graph;
  uint64_t workspace;
  FusedCase shape;
  cudnnHandle_t handle;
};

class CudnnGraphs final : public FusedGraphs {
public:
  explicit CudnnGraphs(const CudnnDevice &device) : capability(device.computeCapability) {}
  ~CudnnGraphs() override {
    if (handle)
      fe::detail::destroy_handle(handle);
  }

  Status open(const std::string &json) {
    std::string why;
    if (!fe::cudnn_dlhandle && !(fe::cudnn_dlhandle = openLibrary(kLibrary, why)))
      return Status(ErrorCode::Config, why + ", expected " + kLibrary + " where the loader looks, cuDNN " + textOfVersion(kOldestVersion) +
                                           " or newer; install it, or add its folder to LD_LIBRARY_PATH");
    version = fe::detail::get_backend_version();
    if (version < kOldestVersion)
      return Status(ErrorCode::Config, std::string(kLibrary) + " is cuDNN " + textOfVersion(version) + ", expected " + textOfVersion(kOldestVersion) +
                                           " or newer; install it, or put its folder first in LD_LIBRARY_PATH");
    if (!json.empty()) {
      properties = std::make_shared<fe::DeviceProperties>();
      return statusOf("device properties", [&] { return properties->deserialize({json.begin(), json.end()}); });
    }
    // The frontend has a CUDA runtime of its own, and would take that of another version where two are.
    ::setenv(kRuntimeVariable, kRuntime.c_str(), 0);
    if (!openLibrary(std::getenv(kRuntimeVariable), why)) // that is open the frontend finds by its name
      return Status(ErrorCode::Config,
                    why + ", expected " + kRuntime + " where the loader looks, for cuDNN's frontend; add its folder to LD_LIBRARY_PATH");
    if (const cudnnStatus_t status = fe::detail::create_handle(&handle); status != CUDNN_STATUS_SUCCESS)
      return Status(ErrorCode::Config, "cudnnCreate: status " + std::to_string(status) + ", expected success");
    return {};
  }

  std::string name() const override { return "cuDNN " + textOfVersion(version); }

  StatusOr<std::unique_ptr<FusedGraph>> build(const FusedCase &shape) override {
    const Description description(shape, capability);
    const GraphPointer graph = description.graph;
    // A CUDA graph of ours ends before its cuDNN graph does.
    graph->set_cuda_graph_retention(fe::CudaGraphRetention_t::NONE);
    if (properties)
      graph->set_device_properties(properties);
    int64_t workspace = 0;
    ZP_RETURN_IF_ERROR(statusOf("validate", [&] { return graph->validate(); }));
    ZP_RETURN_IF_ERROR(statusOf("build_operation_graph", [&] { return graph->build_operation_graph(handle); }));
    ZP_RETURN_IF_ERROR(statusOf("create_execution_plans", [&] { return graph->create_execution_plans({fe::HeurMode_t::A}); }));
    ZP_RETURN_IF_ERROR(statusOf("check_support", [&] { return graph->check_support(); }));
    ZP_RETURN_IF_ERROR(statusOf("build_plans", [&] { return graph->build_plans(); }));
    ZP_RETURN_IF_ERROR(statusOf("get_workspace_size", [&] { return graph->get_workspace_size(workspace); }));
    return std::unique_ptr<FusedGraph>(std::make_unique<CudnnGraph>(graph, static_cast<uint64_t>(workspace), shape, handle));
  }

private:
  int capability;
  size_t version = 0;
  cudnnHandle_t handle = nullptr;
  std::shared_ptr<fe::DeviceProperties> properties;
};

} // namespace

StatusOr<std::unique_ptr<FusedGraphs>> createCudnnGraphs(const CudnnDevice &device) {
  auto graphs = std::make_unique<CudnnGraphs>(device);
  ZP_RETURN_IF_ERROR(graphs->open(device.properties));
  return std::unique_ptr<FusedGraphs>(std::move(graphs));
}

StatusOr<std::unique_ptr<FusedGraphs>> createFusedGraphs(const Properties &device) { return createCudnnGraphs({device.computeCapability, {}}); }

} // namespace zp::rt::cuda

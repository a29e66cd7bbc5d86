#include "runtime/kernels/cuda/fused_attention.h"

#include <algorithm>
#include <array>

#include "runtime/schema/workspaces.h"

namespace zp::rt::cuda {
namespace {

constexpr uint64_t kOperandAlignment = 16; // of the kernels' loads
constexpr int64_t kKeyTile = 128;          // of their gradients

/// Operands whose rows are read 16 bytes at a time.
auto vectorsOf(const AttentionArgs &args) { return std::array{args.query, args.key, args.value, args.target}; }
auto vectorsOf(const AttentionGradientArgs &args) {
  return std::array{args.query, args.key, args.value, args.out, args.gradOut, args.gradQuery, args.gradKey, args.gradValue};
}

constexpr bool isGradient(const AttentionArgs &) { return false; }
constexpr bool isGradient(const AttentionGradientArgs &) { return true; }

/// Bytes that graphs may use: a stream's scratch, or what of the instruction's workspace is left beside the statistics.
uint64_t roomOf(const AttentionArgs &) { return kScratchBytes; }
uint64_t roomOf(const AttentionGradientArgs &args) {
  const uint64_t statistics = fusedStatisticsBytes(args.heads, args.query.dims[0], args.length);
  return args.workspace.bytes() < statistics ? 0 : args.workspace.bytes() - statistics;
}

template <typename Args> FusedCase caseOf(const Args &args) {
  const int64_t tokens = args.query.dims[0], headDim = args.query.dims[1] / args.heads;
  FusedCase whole;
  whole.gradient = isGradient(args);
  whole.dtype = args.query.dtype;
  whole.rows = tokens / args.length;
  whole.heads = args.heads;
  whole.kvHeads = args.kvHeads;
  whole.length = args.length;
  whole.headDim = headDim;
  whole.window = args.window;
  whole.causal = args.causal;
  whole.biased = static_cast<bool>(args.bias);
  whole.scale = args.scale;
  whole.queryPitch = args.heads * headDim;
  whole.keyPitch = args.kvHeads * headDim;
  whole.biasPitch = whole.biased ? tokens : 0;
  whole.statisticsHeadPitch = tokens;
  whole.statisticsRowPitch = args.length;
  return whole;
}

/// Why an instruction is none of theirs, whoever they are; empty when it may be.
template <typename Args> std::string reasonAgainst(const Args &args) {
  const int64_t headDim = args.query.dims[1] / args.heads;
  if (args.scalars)
    return "dropout of probabilities";
  if (args.bias && args.biasByDistance)
    return "a bias by distance";
  if (args.segments.data != args.keySegments.data || args.keyLength != args.length)
    return "keys of another sequence than the queries'";
  if (headDim % 8 != 0)
    return "heads of " + std::to_string(headDim) + " elements, expected a multiple of 8";
  // On a Hopper cuDNN takes the half of the last tile that isn't there for keys of score 0, which makes NaN of a query whose log_sum_exp is
  // below -88 (pytorch issue 196678; cuDNN 9.20). What is causal doesn't see them.
  if (isGradient(args) && !args.causal && args.length % kKeyTile == kKeyTile / 2)
    return "gradients of rows of " + std::to_string(args.length) + " that see what comes later";
  for (const TensorView &operand : vectorsOf(args))
    if (reinterpret_cast<uintptr_t>(operand.data) % kOperandAlignment != 0)
      return "an operand that doesn't begin at a multiple of " + std::to_string(kOperandAlignment) + " bytes";
  return {};
}

/// Of `whole`, so many rows with so many heads of keys. Statistics of a gradient lie a row after another.
FusedCase partOf(FusedCase whole, FusedPart part) {
  whole.heads = whole.heads / whole.kvHeads * static_cast<int64_t>(part.kvHeads);
  whole.rows = static_cast<int64_t>(part.rows);
  whole.kvHeads = static_cast<int64_t>(part.kvHeads);
  if (whole.gradient) {
    whole.statisticsHeadPitch = whole.length;
    whole.statisticsRowPitch = whole.heads * whole.length;
  }
  return whole;
}

void *at(const TensorView &tensor, int64_t element) {
  return tensor ? tensor.as<uint8_t>() + bytesOf(tensor.dtype, static_cast<uint64_t>(element)) : nullptr;
}

std::string firstLine(const std::string &text) { return text.substr(0, std::min<size_t>(text.find('\n'), 200)); }

} // namespace

bool FusedAttention::open() {
  if (!tried) {
    tried = true;
    StatusOr<std::unique_ptr<FusedGraphs>> opened = createFusedGraphs(device);
    if (opened.ok())
      graphs = std::move(*opened);
    else
      reason = opened.status().message();
  }
  return graphs != nullptr;
}

void FusedAttention::leave(const std::string &why) {
  ++left;
  if (reason.empty())
    reason = why;
}

template <typename Args> void FusedAttention::prepareFor(const Args &args) {
  if (args.query.dtype == DType::F32)
    return; // theirs is of 16 bits: there is nothing to say
  if (!open())
    return leave({});
  if (const std::string against = reasonAgainst(args); !against.empty())
    return leave(graphs->name() + " is not asked for " + against);
  const Key key{caseOf(args), roomOf(args)};
  auto place = choices.find(key);
  if (place == choices.end())
    place = choices.emplace(key, choose(key.first, key.second)).first;
  place->second.graph ? ++taken : ++left;
}

void FusedAttention::prepare(const AttentionArgs &args) { prepareFor(args); }
void FusedAttention::prepare(const AttentionGradientArgs &args) { prepareFor(args); }

FusedAttention::Choice FusedAttention::choose(const FusedCase &whole, uint64_t room) {
  auto refuse = [&](const std::string &why) {
    if (reason.empty())
      reason = graphs->name() + ": " + why;
    return Choice{};
  };
  const FusedPart all{static_cast<uint64_t>(whole.rows), static_cast<uint64_t>(whole.kvHeads)};
  for (FusedPart size = all; size; size = nextPart(all, size)) {
    const FusedCase part = partOf(whole, size);
    if (!whole.gradient || fusedGradientWorkspaceBytes(part.rows, part.heads, part.kvHeads, part.length, part.headDim) <= room) {
      StatusOr<std::unique_ptr<FusedGraph>> graph = graphs->build(part);
      if (!graph.ok())
        return refuse(firstLine(graph.status().message()));
      if ((*graph)->workspaceBytes() <= room)
        return Choice{std::move(*graph), part.rows, part.kvHeads};
    }
    if (!whole.gradient)
      break;
  }
  return refuse("its workspace doesn't fit the " + std::to_string(room) + " bytes that rows of " + std::to_string(whole.length) + " have");
}

template <typename Args> const FusedAttention::Choice *FusedAttention::chosenFor(const Args &args) const {
  if (choices.empty() || !reasonAgainst(args).empty())
    return nullptr;
  const auto place = choices.find({caseOf(args), roomOf(args)});
  return place != choices.end() && place->second.graph ? &place->second : nullptr;
}

Status FusedAttention::run(const Context &context, const AttentionArgs &args) {
  FusedOperands operands;
  operands.query = args.query.data;
  operands.key = args.key.data;
  operands.value = args.value.data;
  operands.segments = args.segments.data;
  operands.bias = args.bias.data;
  operands.out = args.target.data;
  operands.logSumExp = args.logSumExp.data;
  return chosenFor(args)->graph->run(operands, context.scratch, context.stream);
}

Status FusedAttention::run(const Context &context, const AttentionGradientArgs &args) {
  const Choice &choice = *chosenFor(args);
  const FusedCase whole = caseOf(args);
  const int64_t group = whole.heads / whole.kvHeads;
  TensorView statistics = args.logSumExp;
  if (whole.rows > 1)
    statistics.data = args.workspace.data;
  void *workspace = at(args.workspace, static_cast<int64_t>(fusedStatisticsBytes(args.heads, args.query.dims[0], args.length)));
  for (int64_t row = 0; row < whole.rows; row += choice.rows)
    for (int64_t kvHead = 0; kvHead < whole.kvHeads; kvHead += choice.kvHeads) {
      const int64_t token = row * whole.length, head = kvHead * group;
      const int64_t query = token * whole.queryPitch + head * whole.headDim;
      const int64_t key = token * whole.keyPitch + kvHead * whole.headDim;
      FusedOperands operands;
      operands.query = at(args.query, query);
      operands.key = at(args.key, key);
      operands.value = at(args.value, key);
      operands.segments = at(args.segments, token);
      operands.bias = at(args.bias, head * whole.biasPitch + token);
      operands.out = at(args.out, query);
      operands.logSumExp = at(statistics, (row * whole.heads + head) * whole.length);
      operands.gradOut = at(args.gradOut, query);
      operands.gradQuery = at(args.gradQuery, query);
      operands.gradKey = at(args.gradKey, key);
      operands.gradValue = at(args.gradValue, key);
      ZP_RETURN_IF_ERROR(choice.graph->run(operands, workspace, context.stream));
    }
  return {};
}

std::string FusedAttention::computedBy() const {
  const std::string own = "own: " + (left > 0 ? reason : "nothing of 16 bits");
  return taken == 0 ? own : left == 0 ? graphs->name() : graphs->name() + "; " + own;
}

std::string FusedAttention::notice() const {
  if (left == 0)
    return {};
  return "attention: " + reason + "; our own kernels, which are slower, compute " + std::to_string(left) + " of its " + std::to_string(left + taken) +
         " instructions in 16 bits";
}

} // namespace zp::rt::cuda

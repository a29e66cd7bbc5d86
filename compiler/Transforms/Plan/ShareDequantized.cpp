#include "compiler/Support/Settings.h"
#include "compiler/Support/Targets.h"
#include "compiler/Transforms/Plan/Layout.h"
#include "compiler/Transforms/Plan/Passes.h"

namespace zp::plan {
#define GEN_PASS_DEF_SHAREDEQUANTIZEDPASS
#include "compiler/Transforms/Plan/Passes.h.inc"
} // namespace zp::plan

using namespace mlir;
using namespace zp::plan;

namespace {

/// A product at its position in the entry's body.
struct Product {
  NF4MatmulOp op;
  unsigned at = 0;
};

/// Two products with one 4-bit weight, which nothing writes between them.
struct Pair {
  Product first, second;
  unsigned length() const { return second.at - first.at; }
};

bool readTheSame(NF4MatmulOp a, NF4MatmulOp b) {
  auto offset = [](NF4MatmulOp op) { return op.getWeight().getDefiningOp<ViewOp>().getOffset(); };
  auto dtype = [](NF4MatmulOp op) { return cast<MemRefType>(op.getA().getType()).getElementType(); };
  return offset(a) == offset(b) && a.getRows() == b.getRows() && a.getColumns() == b.getColumns() && a.getQuantType() == b.getQuantType() &&
         a.getBlockSize() == b.getBlockSize() && a.getNested() == b.getNested() && dtype(a) == dtype(b);
}

/// The weight as the product multiplies by it.
MemRefType floatsOf(NF4MatmulOp op) {
  return MemRefType::get({static_cast<int64_t>(op.getRows()), static_cast<int64_t>(op.getColumns())},
                         cast<MemRefType>(op.getA().getType()).getElementType());
}
int64_t bytesOf(MemRefType type) { return type.getNumElements() * type.getElementTypeBitWidth() / 8; }

/// Every product with the next one that reads the same codes; the closest first, which take memory for the shortest time.
std::vector<Pair> pairsOf(EntryOp entry) {
  std::vector<Pair> pairs;
  llvm::DenseMap<StringAttr, SmallVector<Product>> latest; // by the codes' buffer: the last product with each weight there
  unsigned at = 0;
  for (Operation &op : entry.getBody().front()) {
    if (auto product = dyn_cast<NF4MatmulOp>(op)) {
      SmallVector<Product> &known = latest[bufferOf(product.getWeight())];
      auto *before = llvm::find_if(known, [&](const Product &other) { return readTheSame(other.op, product); });
      if (before == known.end()) {
        known.push_back({product, at});
      } else {
        pairs.push_back({*before, {product, at}});
        *before = {product, at};
      }
    }
    if (auto instruction = dyn_cast<InstructionOpInterface>(op))
      for (Access access : instruction.getAccesses())
        if (access.memory && access.writes)
          latest.erase(bufferOf(access.memory));
    ++at;
  }
  llvm::stable_sort(pairs, [](const Pair &a, const Pair &b) { return a.length() < b.length(); });
  return pairs;
}

/// The pairs, no product in two of them, whose floats leave the device within `most` live bytes.
std::vector<Pair> fittingPairs(EntryOp entry, int64_t most) {
  std::vector<int64_t> live = liveBytes(entry, livesOf(entry, Tier::Device));
  llvm::DenseSet<Operation *> taken;
  std::vector<Pair> fitting = pairsOf(entry);
  llvm::erase_if(fitting, [&](const Pair &pair) {
    if (taken.contains(pair.first.op) || taken.contains(pair.second.op))
      return true;
    const int64_t bytes = aligned(bytesOf(floatsOf(pair.first.op)), Tier::Device);
    const auto between = llvm::MutableArrayRef(live).slice(pair.first.at, pair.length() + 1);
    if (llvm::any_of(between, [&](int64_t others) { return others + bytes > most; }))
      return true;
    for (int64_t &others : between)
      others += bytes;
    taken.insert(pair.first.op);
    taken.insert(pair.second.op);
    return false;
  });
  return fitting;
}

/// The first leaves its floats in the buffer `name`, the second multiplies by them.
void share(const Pair &pair, const Twine &name) {
  NF4MatmulOp first = pair.first.op, second = pair.second.op;
  const MemRefType type = floatsOf(first);
  OpBuilder b(first);
  auto buffer = BufferOp::create(b, first.getLoc(), b.getStringAttr(name), bytesOf(type), Tier::Device, BufferKind::Dequantized, IntegerAttr());
  Value floats = ViewOp::create(b, first.getLoc(), type, FlatSymbolRefAttr::get(buffer.getSymNameAttr()), b.getI64IntegerAttr(0));
  first.getWorkspaceMutable().clear();
  first.getFloatsMutable().assign(floats);
  b.setInsertionPoint(second);
  MatmulOp::create(b, second.getLoc(), second.getA(), floats, second.getBias(), second.getBranchA(), second.getBranchB(), Value(), second.getTarget(),
                   false, second.getTranspose(), second.getAlpha(), second.getAccumulate(), second.getBranchAlpha(), second.getStream());
  second.erase();
}

/// Of the persistent buffers, bytes of the weights that are kept as floats for good.
int64_t keptBytes(ModuleOp module) {
  int64_t bytes = 0;
  for (auto buffer : module.getOps<BufferOp>())
    if (buffer.getKind() == BufferKind::Dequantized)
      bytes += aligned(buffer.getBytes(), buffer.getTier());
  return bytes;
}

struct ShareDequantized : zp::plan::impl::ShareDequantizedPassBase<ShareDequantized> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<zp::JobSettings> settings = zp::readSettings(module);
    if (failed(settings))
      return signalPassFailure();
    if (settings->dequant_cache_bytes == 0 || zp::targetOf(module).panelBytes == 0)
      return;
    const int64_t left = std::max<int64_t>(settings->dequant_cache_bytes - keptBytes(module), 0);
    const Fullest fullest = fullestOf(module, Tier::Device);
    for (auto entry : llvm::make_early_inc_range(module.getOps<EntryOp>()))
      for (int64_t part : kUnusedParts)
        if (changeIfPlaced(entry, fullest.ample(left), [&](EntryOp trial) { return shareIn(trial, fullest.live - fullest.live / part + left); }))
          break;
  }

  /// Whether there were any.
  static bool shareIn(EntryOp entry, int64_t most) {
    const std::vector<Pair> pairs = fittingPairs(entry, most);
    for (auto [number, pair] : llvm::enumerate(pairs))
      share(pair, "floats" + Twine(number));
    return !pairs.empty();
  }
};

} // namespace

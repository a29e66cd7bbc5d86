#include "compiler/Transforms/Zero/Passes.h"
#include "compiler/Transforms/Zero/Sections.h"

#include "llvm/ADT/MapVector.h"

namespace zp::zero {
#define GEN_PASS_DEF_INSERTREDUCTIONSPASS
#include "compiler/Transforms/Zero/Passes.h.inc"
} // namespace zp::zero

using namespace mlir;
using namespace zp::zero;
namespace nn = zp::nn;

namespace {

//===--- train_step: gradients into sections -----------------------------------===//

/// Replaces a section's nn.accumulate_gradient ops, at the place of the last one.
void reduceGradients(SectionOp section, MutableArrayRef<nn::AccumulateGradientOp> ops) {
  OpBuilder b(ops.back());
  Location loc = ops.back().getLoc();
  llvm::MapVector<Attribute, Value> sums; // a tied parameter has several uses, hence several terms
  for (nn::AccumulateGradientOp op : ops) {
    Value &sum = sums[op.getParameterAttr()];
    sum = sum ? nn::AddOp::create(b, loc, sum.getType(), sum, op.getGradient()).getResult() : op.getGradient();
  }
  SmallVector<Value> tensors;
  SmallVector<Attribute> parameters;
  for (auto &[parameter, sum] : sums) {
    parameters.push_back(parameter);
    tensors.push_back(sum);
  }
  Type f32 = b.getF32Type();
  Value packed = PackOp::create(b, loc, flat(section.getElements(), f32), symbolOf(section), tensors, b.getArrayAttr(parameters));
  if (section.getGradientSharded())
    packed = collective<ReduceScatterOp>(b, loc, packed, section.getSliceElements(), section.getRanks());
  auto last = AccumulateGradientOp::create(b, loc, symbolOf(section), packed);
  // New ops belong where the old ones did.
  for (Operation *op = last; op && op != ops.front(); op = op->getPrevNode()) {
    if (isa<nn::AccumulateGradientOp>(op) || op->hasAttr(nn::NNDialect::kBackwardAttr))
      break;
    op->setAttr(nn::NNDialect::kBackwardAttr, b.getUnitAttr());
    op->setAttr(nn::NNDialect::kUnitAttr, section.getUnitAttr());
  }
  for (nn::AccumulateGradientOp op : ops)
    op.erase();
}

void reduceProgram(nn::ProgramOp program, const SectionIndex &index) {
  llvm::MapVector<Operation *, SmallVector<nn::AccumulateGradientOp>> bySection;
  for (auto op : program.getBody().front().getOps<nn::AccumulateGradientOp>())
    bySection[index.of(op.getParameterAttr())].push_back(op);
  for (auto &[section, ops] : bySection)
    reduceGradients(cast<SectionOp>(section), ops);
}

//===--- apply_gradients: from parameters to slices ------------------------------===//

class UpdateBuilder {
public:
  UpdateBuilder(nn::ProgramOp program, const SectionIndex &index) : program(program), builder(program.getContext()) {
    for (SectionOp section : index.all())
      if (section.getKind() == SectionKind::Trainable)
        sections.push_back(section);
  }

  void run() {
    Block &body = program.getBody().front();
    auto squares = *body.getOps<nn::SumSquaresOp>().begin();
    auto finish = *body.getOps<nn::FinishStepOp>().begin();
    auto update = *body.getOps<nn::AdamwOp>().begin();
    builder.setInsertionPoint(squares);
    SmallVector<Value> gradients = llvm::map_to_vector(sections, [&](SectionOp s) { return reducedGradient(s); });
    Value square = nn::SumSquaresOp::create(builder, squares.getLoc(), squares.getType(), gradients);
    builder.setInsertionPoint(finish);
    int64_t ranks = sections.front().getRanks();
    if (ranks > 1) {
      if (sections.front().getOptimizerSharded())
        square = collective<AllReduceOp>(builder, squares.getLoc(), square, 1, ranks);
      const int64_t sums = cast<RankedTensorType>(finish.getLossSum().getType()).getDimSize(0);
      finish.getLossSumMutable().assign(collective<AllReduceOp>(builder, finish.getLoc(), finish.getLossSum(), sums, ranks));
    }
    finish.getSquareSumMutable().assign(square);
    builder.setInsertionPointAfter(finish);
    for (size_t i = 0; i < sections.size(); ++i)
      updateSection(sections[i], gradients[i], update);
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body)))
      if (isa<nn::AdamwOp, nn::ClearGradientOp, nn::GradientOp>(op) || &op == squares)
        op.erase();
  }

private:
  Value reducedGradient(SectionOp section) {
    Location loc = section.getLoc();
    Value stored = GradientOp::create(builder, loc, flat(section.getStoredGradient(), builder.getF32Type()), symbolOf(section));
    if (section.getRanks() == 1 || section.getGradientSharded())
      return stored;
    if (section.getOptimizerSharded())
      return collective<ReduceScatterOp>(builder, loc, stored, section.getSliceElements(), section.getRanks());
    return collective<AllReduceOp>(builder, loc, stored, section.getElements(), section.getRanks());
  }

  void updateSection(SectionOp section, Value gradient, nn::AdamwOp like) {
    Location loc = section.getLoc();
    Value values =
        AdamwOp::create(builder, loc, flat(section.getStoredOptimizer(), elementOf(section)), symbolOf(section), gradient, like.getCoefficient(),
                        like.getScalars(), like.getBeta1Attr(), like.getBeta2Attr(), like.getEpsilonAttr(), like.getWeightDecayAttr());
    if (section.getOptimizerSharded() && !section.getValuesSharded())
      values = collective<AllGatherOp>(builder, loc, values, section.getElements(), section.getRanks());
    StoreValuesOp::create(builder, loc, symbolOf(section), values);
    ClearGradientOp::create(builder, loc, symbolOf(section));
  }

  nn::ProgramOp program;
  OpBuilder builder;
  SmallVector<SectionOp> sections;
};

struct InsertReductions : zp::zero::impl::InsertReductionsPassBase<InsertReductions> {
  void runOnOperation() override {
    SectionIndex index(getOperation());
    for (auto program : getOperation().getOps<nn::ProgramOp>()) {
      if (program.getKind() == nn::ProgramKind::TrainStep)
        reduceProgram(program, index);
      if (program.getKind() == nn::ProgramKind::ApplyGradients)
        UpdateBuilder(program, index).run();
    }
  }
};

} // namespace

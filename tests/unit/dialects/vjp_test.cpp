// Every differentiable op by itself: its vector-Jacobian product, built through the interface and interpreted in double,
// against central differences of the interpreted op.
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "tests/interpreter/Machine.h"
#include "tests/interpreter/OpMath.h"

#include "llvm/ADT/StringExtras.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace mlir;
using namespace zp;
using namespace zp::interpreter;

namespace {

struct Case {
  const char *name;
  const char *inputs; // "name:type;…"; a name with ' is not differentiated
  const char *op;
};

const Case cases[] = {
    {"add", "a:8x4xf32;b:8x4xf32", "%r = nn.add %a, %b : tensor<8x4xf32>"},
    {"add_to_itself", "a:8x4xf32", "%r = nn.add %a, %a : tensor<8x4xf32>"},
    {"scale", "x:8x4xf32", "%r = nn.scale %x {factor = -1.75 : f64} : tensor<8x4xf32>"},
    {"cast", "x:8x4xf32", "%r = nn.cast %x : (tensor<8x4xf32>) -> tensor<8x4xf64>"},
    {"reshape", "x:8x4xf32", "%r = nn.reshape %x : (tensor<8x4xf32>) -> tensor<16x2xf32>"},
    {"dropout", "x:8x5xf32;scalars':64xi8",
     "%r = nn.dropout %x, %scalars {probability = 0.3 : f64, site = 2 : i64, length = 4 : i64} : (tensor<8x5xf32>, tensor<64xi8>) -> "
     "tensor<8x5xf32>"},
    {"silu_mul", "gate:8x4xf32;up:8x4xf32", "%r = nn.silu_mul %gate, %up : tensor<8x4xf32>"},
    {"relu", "bent:8x4xf32", "%r = nn.activation relu %bent : tensor<8x4xf32>"},
    {"gelu", "x:8x4xf32", "%r = nn.activation gelu %x : tensor<8x4xf32>"},
    {"gelu_tanh", "x:8x4xf32", "%r = nn.activation gelu_tanh %x : tensor<8x4xf32>"},
    {"gated_activation", "gate:8x4xf32;up:8x4xf32", "%r = nn.gated_activation gelu_tanh %gate, %up : tensor<8x4xf32>"},
    {"split_qkv", "x:8x24xf32",
     "%r, %k, %v = nn.split_qkv %x {heads = 4 : i64, kv_heads = 2 : i64} : (tensor<8x24xf32>) -> (tensor<8x12xf32>, tensor<8x6xf32>, "
     "tensor<8x6xf32>)"},
    {"linear", "x:8x4xf32;w:6x4xf32", "%r = nn.linear %x, %w : (tensor<8x4xf32>, tensor<6x4xf32>) -> tensor<8x6xf32>"},
    {"linear_bias", "x:8x4xf32;w:6x4xf32;b:6xf32",
     "%r = nn.linear %x, %w bias %b : (tensor<8x4xf32>, tensor<6x4xf32>, tensor<6xf32>) -> tensor<8x6xf32>"},
    {"linear_addend", "x:8x4xf32;w:6x4xf32;y:8x6xf32",
     "%r = nn.linear %x, %w addend %y {alpha = 0.5 : f64} : (tensor<8x4xf32>, tensor<6x4xf32>, tensor<8x6xf32>) -> tensor<8x6xf32>"},
    {"linear_all", "x:8x4xf32;w:6x4xf32;b:6xf32;y:8x6xf32",
     "%r = nn.linear %x, %w bias %b addend %y {alpha = 3.0 : f64} : (tensor<8x4xf32>, tensor<6x4xf32>, tensor<6xf32>, tensor<8x6xf32>) -> "
     "tensor<8x6xf32>"},
    {"embedding", "ids':8xi32;table:9x4xf32", "%r = nn.embedding %ids, %table : (tensor<8xi32>, tensor<9x4xf32>) -> tensor<8x4xf32>"},
    {"embedding_offset", "ids':8xi32;table:12x4xf32",
     "%r = nn.embedding %ids, %table {offset = 2 : i64} : (tensor<8xi32>, tensor<12x4xf32>) -> tensor<8x4xf32>"},
    {"layer_norm", "x:8x4xf32;w:4xf32;b:4xf32",
     "%r, %mean, %rstd = nn.layer_norm %x, %w, %b {epsilon = 0.01 : f64} : (tensor<8x4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<8x4xf32>, "
     "tensor<8xf32>, tensor<8xf32>)"},
    {"rms_norm", "x:8x4xf32;w:4xf32",
     "%r, %rstd = nn.rms_norm %x, %w {epsilon = 0.01 : f64} : (tensor<8x4xf32>, tensor<4xf32>) -> (tensor<8x4xf32>, tensor<8xf32>)"},
    {"rope", "x:8x8xf32;c':8x2xf32;s':8x2xf32",
     "%r = nn.rope %x, %c, %s {head_dim = 4 : i64} : (tensor<8x8xf32>, tensor<8x2xf32>, tensor<8x2xf32>) -> tensor<8x8xf32>"},
    {"rope_inverse", "x:8x8xf32;c':8x2xf32;s':8x2xf32",
     "%r = nn.rope %x, %c, %s {head_dim = 4 : i64, inverse} : (tensor<8x8xf32>, tensor<8x2xf32>, tensor<8x2xf32>) -> tensor<8x8xf32>"},
    {"attention", "q:10x12xf32;k:10x6xf32;v:10x6xf32;segments':10xi32",
     "%r, %l = nn.attention %q, %k, %v, %segments, %segments {heads = 4 : i64, kv_heads = 2 : i64, length = 5 : i64, key_length = 5 : i64, scale = "
     "0.6 : f64} : "
     "(tensor<10x12xf32>, tensor<10x6xf32>, tensor<10x6xf32>, tensor<10xi32>, tensor<10xi32>) -> (tensor<10x12xf32>, tensor<4x10xf32>)"},
    {"attention_window", "q:12x4xf32;k:12x4xf32;v:12x4xf32;segments':12xi32",
     "%r, %l = nn.attention %q, %k, %v, %segments, %segments {heads = 2 : i64, kv_heads = 2 : i64, length = 6 : i64, key_length = 6 : i64, window = "
     "2 : i64, "
     "scale = 1.1 : f64} : (tensor<12x4xf32>, tensor<12x4xf32>, tensor<12x4xf32>, tensor<12xi32>, tensor<12xi32>) -> (tensor<12x4xf32>, "
     "tensor<2x12xf32>)"},
    {"attention_across", "q:6x4xf32;k:8x4xf32;v:8x4xf32;segments':6xi32;key_segments':8xi32",
     "%r, %l = nn.attention %q, %k, %v, %segments, %key_segments {heads = 2 : i64, kv_heads = 2 : i64, length = 3 : i64, key_length = 4 : i64, "
     "causal = false, scale = 1.1 : f64} : (tensor<6x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<6xi32>, tensor<8xi32>) -> (tensor<6x4xf32>, "
     "tensor<2x6xf32>)"},
    {"attention_bias", "q:6x4xf32;k:8x4xf32;v:8x4xf32;segments':6xi32;key_segments':8xi32;b:2x6xf32",
     "%r, %l = nn.attention %q, %k, %v, %segments, %key_segments bias by_distance %b {heads = 2 : i64, kv_heads = 2 : i64, length = 3 : i64, "
     "key_length = 4 : i64, causal = false, scale = 1.1 : f64} : (tensor<6x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<6xi32>, tensor<8xi32>, "
     "tensor<2x6xf32>) -> (tensor<6x4xf32>, tensor<2x6xf32>)"},
    {"attention_bias_by_key", "q:8x4xf32;k:8x2xf32;v:8x2xf32;segments':8xi32;b':2x8xf32",
     "%r, %l = nn.attention %q, %k, %v, %segments, %segments bias by_key %b {heads = 2 : i64, kv_heads = 1 : i64, length = 4 : i64, key_length = 4 : "
     "i64, "
     "scale = 1.1 : f64} : (tensor<8x4xf32>, tensor<8x2xf32>, tensor<8x2xf32>, tensor<8xi32>, tensor<8xi32>, tensor<2x8xf32>) -> (tensor<8x4xf32>, "
     "tensor<2x8xf32>)"},
    {"attention_dropout", "q:10x12xf32;k:10x6xf32;v:10x6xf32;segments':10xi32;scalars':64xi8",
     "%r, %l = nn.attention %q, %k, %v, %segments, %segments drops_by %scalars {heads = 4 : i64, kv_heads = 2 : i64, length = 5 : i64, key_length = "
     "5 : i64, "
     "scale = 0.6 : f64, dropout = 0.3 : f64, site = 2 : i64} : (tensor<10x12xf32>, tensor<10x6xf32>, tensor<10x6xf32>, tensor<10xi32>, "
     "tensor<10xi32>, "
     "tensor<64xi8>) -> (tensor<10x12xf32>, tensor<4x10xf32>)"},
    {"attention_dropout_bias", "q:6x4xf32;k:8x4xf32;v:8x4xf32;segments':6xi32;key_segments':8xi32;b:2x6xf32;scalars':64xi8",
     "%r, %l = nn.attention %q, %k, %v, %segments, %key_segments bias by_distance %b drops_by %scalars {heads = 2 : i64, kv_heads = 2 : i64, length "
     "= 3 : i64, "
     "key_length = 4 : i64, causal = false, scale = 1.1 : f64, dropout = 0.3 : f64, site = 2 : i64} : (tensor<6x4xf32>, tensor<8x4xf32>, "
     "tensor<8x4xf32>, "
     "tensor<6xi32>, tensor<8xi32>, tensor<2x6xf32>, tensor<64xi8>) -> (tensor<6x4xf32>, tensor<2x6xf32>)"},
    {"clamp_half", "x:8x4xf16", "%r = nn.clamp_half %x : tensor<8x4xf16>"},
    {"relative_bias", "table:8x3xf32",
     "%r = nn.relative_bias %table {length = 5 : i64, key_length = 9 : i64, max_distance = 6 : i64, bidirectional} : (tensor<8x3xf32>) -> "
     "tensor<3x13xf32>"},
    {"relative_bias_back", "table:8x3xf32",
     "%r = nn.relative_bias %table {length = 9 : i64, key_length = 9 : i64, max_distance = 8 : i64} : (tensor<8x3xf32>) -> tensor<3x17xf32>"},
    {"linear_cross_entropy", "h:8x4xf32;w:9x4xf32;labels':8xi32",
     "%r = nn.linear_cross_entropy %h, %w, %labels {chunk = 3 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<9x4xf32>, tensor<8xi32>) -> "
     "tensor<1xf64>"},
};

struct Field {
  std::string name, type;
  bool differentiated;
};

std::vector<Field> fieldsOf(const Case &test) {
  std::vector<Field> fields;
  SmallVector<StringRef> parts;
  StringRef(test.inputs).split(parts, ';');
  for (StringRef part : parts) {
    auto [name, type] = part.split(':');
    fields.push_back({name.rtrim('\'').str(), "tensor<" + type.str() + ">", !name.ends_with("'")});
  }
  return fields;
}

Tensor randomInput(const Field &field, const std::vector<int64_t> &shape) {
  Tensor tensor(shape);
  Random random(7, field.name);
  for (double &value : tensor.data)
    value = random.normal();
  if (field.name == "scalars") {
    StepScalars scalars{};
    scalars.seed = 0x123456789;
    scalars.optimizerStep = 3;
    scalars.rowBase = 5;
    return scalarsToTensor(scalars);
  }
  if (field.name == "bent") // where the op has a kink at 0: no difference may reach over it
    for (double &value : tensor.data)
      value += value < 0 ? -0.1 : 0.1;
  if (StringRef(field.name).ends_with("segments"))
    for (int64_t i = 0; i < tensor.size(); ++i)
      tensor[i] = i < 3 ? 0 : i < 8 ? 1 : -1;
  if (field.name == "ids" || field.name == "labels")
    for (int64_t i = 0; i < tensor.size(); ++i)
      tensor[i] = field.name == "labels" && i == 2 ? kNotCounted : static_cast<double>(i == 5 ? 3 : random.below(9));
  return tensor;
}

/// A module with one op, and what it takes to run it.
class Harness {
public:
  Harness(MLIRContext &context, const Case &test) : fields(fieldsOf(test)) {
    std::string text = "nn.program @p kind evaluate {\n";
    for (const Field &field : fields)
      text += "  %" + field.name + " = nn.input \"" + field.name + "\" : " + field.type + "\n";
    text += std::string("  ") + test.op + "\n}\n";
    module = parseSourceString<ModuleOp>(text, &context);
    if (!module)
      return;
    program = *module->getOps<nn::ProgramOp>().begin();
    for (Operation &op : program.getBody().front())
      if (auto found = dyn_cast<nn::DifferentiableOpInterface>(op))
        subject = found;
    for (auto input : program.getBody().getOps<nn::InputOp>())
      inputs[input.getName().str()] =
          randomInput(*llvm::find_if(fields, [&](const Field &f) { return f.name == input.getName(); }), shapeOf(input.getType()));
    OpBuilder builder = OpBuilder::atBlockEnd(&program.getBody().front());
    Value result = subject->getResult(0);
    nn::OutputOp::create(builder, subject->getLoc(), builder.getStringAttr("result"), result);
    if (!isa<nn::LinearCrossEntropyOp>(subject)) { // the root has no gradient but one
      seed = nn::InputOp::create(builder, subject->getLoc(), result.getType(), builder.getStringAttr("seed"));
      inputs["seed"] = randomInput({"seed", "", false}, shapeOf(result.getType()));
    }
  }

  const Field &fieldOf(Value operand) {
    StringRef name = operand.getDefiningOp<nn::InputOp>().getName();
    return *llvm::find_if(fields, [&](const Field &f) { return f.name == name; });
  }

  NamedTensors run() {
    std::unique_ptr<Machine> machine = Machine::create(*module, 1, InitialValues());
    std::vector<Machine::Outcome> outcomes;
    if (failed(machine->run(program, {inputs}, &outcomes)))
      return {};
    return outcomes[0].outputs;
  }

  /// <seed, result>, or the loss.
  double value() {
    Tensor result = run().at("result");
    double sum = 0;
    for (int64_t i = 0; i < result.size(); ++i)
      sum += result[i] * (seed ? inputs["seed"][i] : 1);
    return sum;
  }

  double slope(const std::string &input, const Tensor &direction) {
    const Tensor start = inputs[input];
    const double h = 1e-3;
    double result = 0;
    for (auto [step, weight] : {std::pair{-2, 1.0}, std::pair{-1, -8.0}, std::pair{1, 8.0}, std::pair{2, -1.0}}) {
      for (int64_t i = 0; i < start.size(); ++i)
        inputs[input][i] = start[i] + step * h * direction[i];
      result += weight * value() / (12 * h);
    }
    inputs[input] = start;
    return result;
  }

  std::vector<Field> fields;
  OwningOpRef<ModuleOp> module;
  nn::ProgramOp program;
  nn::DifferentiableOpInterface subject;
  Value seed;
  NamedTensors inputs;
};

class VjpTest : public testing::TestWithParam<Case> {
protected:
  VjpTest() { context.loadDialect<nn::NNDialect, zero::ZeroDialect>(); }
  MLIRContext context;
};

TEST_P(VjpTest, AgreesWithFiniteDifferences) {
  Harness harness(context, GetParam());
  ASSERT_TRUE(harness.module && harness.subject);
  OpBuilder builder = OpBuilder::atBlockEnd(&harness.program.getBody().front());
  SmallVector<Value> resultGradients(harness.subject->getNumResults());
  resultGradients[0] = harness.seed;
  unsigned operands = harness.subject->getNumOperands();
  SmallVector<bool> needed = llvm::map_to_vector(harness.subject->getOperands(), [&](Value v) { return harness.fieldOf(v).differentiated; });
  SmallVector<Value> gradients(operands);
  harness.subject.buildVjp(builder, resultGradients, needed, gradients);
  std::set<std::string> names;
  for (unsigned i = 0; i < operands; ++i) {
    ASSERT_EQ(static_cast<bool>(gradients[i]), needed[i]) << "operand " << i;
    if (!needed[i])
      continue;
    nn::OutputOp::create(builder, harness.subject->getLoc(), builder.getStringAttr("gradient" + std::to_string(i)), gradients[i]);
    names.insert(harness.fieldOf(harness.subject->getOperand(i)).name);
  }
  ASSERT_TRUE(succeeded(verify(*harness.module)));

  NamedTensors outputs = harness.run();
  for (const std::string &name : names) {
    Tensor gradient(harness.inputs[name].shape);
    for (unsigned i = 0; i < operands; ++i) // an operand that stands twice has two parts
      if (needed[i] && harness.fieldOf(harness.subject->getOperand(i)).name == name)
        gradient = add(gradient, outputs.at("gradient" + std::to_string(i)));
    double norm = std::sqrt(sumSquares(gradient));
    ASSERT_GT(norm, 1e-3) << name;
    for (int k = 0; k < 3; ++k) {
      Tensor direction = randomInput({"direction " + std::to_string(k) + name, "", false}, gradient.shape);
      double stated = 0;
      for (int64_t i = 0; i < gradient.size(); ++i)
        stated += gradient[i] * direction[i];
      EXPECT_NEAR(stated, harness.slope(name, direction), 1e-7 * norm) << name;
    }
  }
}

// `needed` is obeyed: only what is asked for is set, whichever it is.
TEST_P(VjpTest, BuildsWhatIsNeeded) {
  for (unsigned wanted = 0;; ++wanted) {
    Harness harness(context, GetParam());
    unsigned operands = harness.subject->getNumOperands();
    if (wanted == operands)
      break;
    if (!harness.fieldOf(harness.subject->getOperand(wanted)).differentiated)
      continue;
    OpBuilder builder = OpBuilder::atBlockEnd(&harness.program.getBody().front());
    SmallVector<Value> resultGradients(harness.subject->getNumResults()), gradients(operands);
    resultGradients[0] = harness.seed;
    SmallVector<bool> needed(operands, false);
    needed[wanted] = true;
    harness.subject.buildVjp(builder, resultGradients, needed, gradients);
    EXPECT_TRUE(succeeded(verify(*harness.module)));
    for (unsigned i = 0; i < operands; ++i)
      EXPECT_EQ(static_cast<bool>(gradients[i]), i == wanted);
  }
}

std::string nameOf(const testing::TestParamInfo<Case> &info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Ops, VjpTest, testing::ValuesIn(cases), nameOf);

// In bf16 the gradient of a parameter is f32, that of an activation bf16.
TEST(VjpTypes, ParametersGetF32) {
  const Case bf16[] = {
      {"linear", "x:8x4xbf16;w:6x4xbf16;b:6xbf16",
       "%r = nn.linear %x, %w bias %b : (tensor<8x4xbf16>, tensor<6x4xbf16>, tensor<6xbf16>) -> tensor<8x6xbf16>"},
      {"embedding", "ids':8xi32;table:9x4xbf16", "%r = nn.embedding %ids, %table : (tensor<8xi32>, tensor<9x4xbf16>) -> tensor<8x4xbf16>"},
      {"rms_norm", "x:8x4xbf16;w:4xbf16",
       "%r, %s = nn.rms_norm %x, %w {epsilon = 0.1 : f64} : (tensor<8x4xbf16>, tensor<4xbf16>) -> (tensor<8x4xbf16>, tensor<8xf32>)"},
      {"layer_norm", "x:8x4xbf16;w:4xbf16;b:4xbf16",
       "%r, %m, %s = nn.layer_norm %x, %w, %b {epsilon = 0.1 : f64} : (tensor<8x4xbf16>, tensor<4xbf16>, tensor<4xbf16>) -> (tensor<8x4xbf16>, "
       "tensor<8xf32>, "
       "tensor<8xf32>)"},
      {"loss", "x:8x4xbf16;w:9x4xbf16;labels':8xi32",
       "%r = nn.linear_cross_entropy %x, %w, %labels {chunk = 3 : i64, length = 4 : i64} : (tensor<8x4xbf16>, tensor<9x4xbf16>, tensor<8xi32>) -> "
       "tensor<1xf64>"},
  };
  MLIRContext context;
  context.loadDialect<nn::NNDialect, zero::ZeroDialect>();
  for (const Case &test : bf16) {
    Harness harness(context, test);
    ASSERT_TRUE(harness.module && harness.subject) << test.name;
    OpBuilder builder = OpBuilder::atBlockEnd(&harness.program.getBody().front());
    unsigned operands = harness.subject->getNumOperands();
    SmallVector<Value> resultGradients(harness.subject->getNumResults()), gradients(operands);
    resultGradients[0] = harness.seed;
    SmallVector<bool> needed = llvm::map_to_vector(harness.subject->getOperands(), [&](Value v) { return harness.fieldOf(v).differentiated; });
    harness.subject.buildVjp(builder, resultGradients, needed, gradients);
    EXPECT_TRUE(succeeded(verify(*harness.module))) << test.name;
    for (unsigned i = 0; i < operands; ++i) {
      if (!needed[i])
        continue;
      bool activation = harness.fieldOf(harness.subject->getOperand(i)).name == "x";
      Type element = cast<ShapedType>(gradients[i].getType()).getElementType();
      EXPECT_TRUE(activation ? element.isBF16() : element.isF32()) << test.name << " operand " << i;
    }
  }
}

// An op that can be differentiated and isn't tested above would be a hole.
TEST(VjpCases, CoverEveryDifferentiableOp) {
  MLIRContext context;
  context.loadDialect<nn::NNDialect, zero::ZeroDialect>();
  std::set<StringRef> covered;
  for (const Case &test : cases)
    covered.insert(Harness(context, test).subject->getName().getStringRef());
  for (RegisteredOperationName name : context.getRegisteredOperationsByDialect("nn"))
    EXPECT_TRUE(!name.hasInterface<nn::DifferentiableOpInterface>() || covered.count(name.getStringRef())) << name.getStringRef().str();
}

} // namespace

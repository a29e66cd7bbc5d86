#include "tests/interpreter/InterpretMain.h"

#include "tests/interpreter/Compare.h"
#include "tests/interpreter/Generation.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/SourceMgr.h"

#include <cmath>
#include <list>

using namespace mlir;
namespace cl = llvm::cl;

namespace zp::interpreter {

static cl::list<std::string> files(cl::Positional, cl::OneOrMore, cl::desc("FILE.mlir, or BEFORE.mlir AFTER.mlir with --compare"));
static cl::opt<bool> compare("compare", cl::desc("run both files and compare what they compute"));
static cl::opt<bool> check("check_gradients", cl::desc("hold the gradients of train_step to central differences of its loss"));
static cl::opt<bool> generation("check_generation", cl::desc("hold prefill and decode of the second file to evaluate and logits of the first"));
static cl::opt<bool> print("print", cl::desc("print every element, not only each tensor's norm"));
static cl::opt<int> ranks("ranks", cl::desc("simulated ranks (default: what the sections are cut for)"), cl::init(0));
static cl::opt<int> microBatches("micro_batches", cl::desc("micro-batches of each rank in an update"), cl::init(1));
static cl::opt<int> updates("updates", cl::desc("updates"), cl::init(2));
static cl::opt<unsigned> seed("seed", cl::desc("of parameters and inputs"), cl::init(1));
static cl::opt<bool> keepZero("keep_zero",
                              cl::desc("parameters with initial = \"zero\" start at zero (default: random, so that others get gradients)"));
static cl::opt<double> tolerance("tolerance", cl::desc("relative, in the L2 norm (default 1e-9; 1e-6 for gradients)"), cl::init(0));
static cl::list<std::string> inputs("input", cl::desc("name=v,v,…: an input's values"));
static cl::list<std::string> values("value", cl::desc("name=v,v,…: a parameter's first values"));

static bool parseValues(llvm::StringRef text, std::string &name, std::vector<double> &result) {
  auto [left, right] = text.split('=');
  name = left.str();
  llvm::SmallVector<llvm::StringRef> parts;
  right.split(parts, ',');
  for (llvm::StringRef part : parts) {
    double value = 0;
    if (part.trim().getAsDouble(value))
      return llvm::errs() << "zp-interpret: '" << text << "' is not name=number,number,…\n", false;
    result.push_back(value);
  }
  return true;
}

static void printTrace(const Trace &trace) {
  for (const TraceEntry &entry : trace) {
    double squares = 0;
    for (double value : entry.value.data)
      squares += value * value;
    llvm::outs() << entry.label << ": norm " << llvm::format("%.9g", std::sqrt(squares)) << "\n";
    for (size_t i = 0; print && i < entry.value.data.size(); ++i)
      llvm::outs() << (i ? " " : "  ") << llvm::format("%.9g", entry.value.data[i]) << (i + 1 == entry.value.data.size() ? "\n" : "");
  }
}

int interpretMain(int argc, char **argv) {
  cl::ParseCommandLineOptions(argc, argv, "the executable meaning of nn and zero modules, in double precision\n");
  const bool two = compare || generation;
  if (files.size() != (two ? 2u : 1u))
    return llvm::errs() << "zp-interpret: " << files.size() << " files, expected " << (two ? "two with" : "one without") << " --compare\n", 2;

  InitialValues initial{seed, keepZero, {}, {}};
  Batches batches;
  batches.seed = seed;
  std::string name;
  for (const std::string &text : values) {
    std::vector<double> parsed;
    if (!parseValues(text, name, parsed))
      return 2;
    initial.given[name] = parsed;
  }
  for (const std::string &text : inputs) {
    Tensor tensor;
    if (!parseValues(text, name, tensor.data))
      return 2;
    tensor.shape = {static_cast<int64_t>(tensor.data.size())};
    batches.given[name] = tensor;
  }

  MLIRContext context;
  context.loadDialect<nn::NNDialect, nf4::NF4Dialect, zero::ZeroDialect>();
  std::vector<OwningOpRef<ModuleOp>> modules;
  JobShape shape{ranks, microBatches, updates};
  std::list<llvm::SourceMgr> sources; // one a file: the parser reads the main buffer only
  std::list<SourceMgrDiagnosticHandler> handlers;
  for (const std::string &file : files) {
    handlers.emplace_back(sources.emplace_back(), &context);
    modules.push_back(parseSourceFile<ModuleOp>(file, sources.back(), ParserConfig(&context)));
    if (!modules.back())
      return 1;
    findQuantised(*modules.back(), initial);
    if (ranks == 0)
      shape.ranks = std::max(shape.ranks, ranksOf(*modules.back()));
  }

  std::vector<std::unique_ptr<Machine>> machines;
  std::vector<Trace> traces(modules.size());
  for (auto [i, module] : llvm::enumerate(modules)) {
    machines.push_back(Machine::create(*module, shape.ranks, initial));
    batches.vocabulary = vocabularyOf(*module);
    if (!machines.back())
      return 1;
    if (generation)
      continue;
    if (check)
      return failed(checkGradients(*machines.back(), shape, batches, tolerance > 0 ? tolerance : 1e-6, llvm::outs()));
    if (failed(runJob(*machines.back(), shape, batches, traces[i])))
      return 1;
  }
  if (generation)
    return failed(checkGeneration(*machines[0], *machines[1], seed, vocabularyOf(*modules[0]), tolerance > 0 ? tolerance : 1e-9, llvm::outs()));
  if (!compare)
    return printTrace(traces[0]), 0;
  return compareTraces(*machines[0], traces[0], *machines[1], traces[1], tolerance > 0 ? tolerance : 1e-9, llvm::outs()) ? 0 : 1;
}

} // namespace zp::interpreter

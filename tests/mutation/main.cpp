// plan_mutations: the command line of proof.h.
#include <CLI/CLI.hpp>

#include "tests/mutation/proof.h"

int main(int argc, char **argv) {
  zp::rt::test::MutationOptions options;
  CLI::App app("Mutates compiled plans and holds the verifier to it.");
  app.add_option("plans", options.plans, "plans of zpc compile")->required();
  app.add_option("--mutants", options.mutants, "of each kind, over all plans");
  app.add_option("--seed", options.seed, "of the draws and the orders");
  app.add_option("--disk", options.disk, "directory for what the plans offload to nvme");
  app.add_flag("--control", options.control, "try the judge: remove instructions from plans that state what they compute then; some must differ");
  CLI11_PARSE(app, argc, argv);
  return zp::rt::test::runMutations(options);
}

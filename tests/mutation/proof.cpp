#include "tests/mutation/proof.h"

#include <cstdio>
#include <deque>
#include <map>
#include <sys/mman.h>
#include <xxhash.h>

#include "runtime/bootstrap/local_launch.h"
#include "runtime/plan/checks/check_instructions.h"
#include "tests/mutation/judge.h"
#include "tests/mutation/mutations.h"

namespace zp::rt::test {
namespace {

constexpr Way kWays[] = {
    {StreamOrder::HighestFirst, false}, {StreamOrder::LowestFirst, false}, {StreamOrder::Drawn, false}, {StreamOrder::Drawn, true}};
constexpr Way kPlain = {StreamOrder::Listed, true};

struct Tally {
  size_t drawn = 0, distinct = 0, rejected = 0, equivalent = 0, different = 0;
};

struct Accepted {
  Mutation kind;
  std::string what;
  PlanFile plan;
  size_t drawn; ///< how often
};

void printRow(Mutation kind, const Tally &tally, const std::string &of) {
  std::printf("%-20s %8zu %9zu %9zu %24zu %23zu  %s\n", nameOf(kind), tally.drawn, tally.distinct, tally.rejected, tally.equivalent, tally.different,
              of.c_str());
}

void printError(const Status &status) { std::fprintf(stderr, "%s\n", status.toString().c_str()); }

/// Draws `count` mutants of a kind; keeps once each of those that every proof of `zpc check` takes.
void collect(const PlanFile &file, const Mutator &mutator, Mutation kind, size_t count, const MutationOptions &options, std::mt19937_64 &random,
             Tally &tally, std::deque<Accepted> &accepted) {
  std::map<uint64_t, Accepted *> seen; // null: rejected
  for (size_t tries = 0; tally.drawn < count && tries < 200 * count; ++tries) {
    std::optional<Mutant> mutant = mutator.draw(kind, random);
    if (!mutant)
      continue;
    ++tally.drawn;
    auto [known, isNew] = seen.try_emplace(XXH64(mutant->payload.data(), mutant->payload.size(), 0), nullptr);
    if (isNew) {
      ++tally.distinct;
      auto sealed = options.control ? sealPlan(mutant->payload) : sealPlan(mutant->payload, file.dataflow());
      auto plan = PlanFile::fromBytes(sealed, file.path());
      if (plan.ok() && checkInstructions(*plan).ok())
        known->second = &accepted.emplace_back(Accepted{kind, mutant->what, std::move(plan).value(), 0});
    }
    ++(known->second ? known->second->drawn : tally.rejected);
  }
}

/// What the ranks say of each accepted mutant, in memory that they share.
struct Verdicts {
  explicit Verdicts(size_t count) : count(count) {
    void *pages = ::mmap(nullptr, count + 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    differs = pages == MAP_FAILED ? nullptr : static_cast<uint8_t *>(pages);
  }
  ~Verdicts() { ::munmap(differs, count + 1); }
  size_t count;
  uint8_t *differs;
};

int judge(const PlanFile &file, const std::deque<Accepted> &accepted, const MutationOptions &options, Communicator &communicator,
          Verdicts &verdicts) {
  auto expected = outcomeOf(file, communicator, options.disk, kPlain, 0);
  if (!expected.ok()) {
    communicator.abort();
    printError(expected.status());
    return 1;
  }
  // The unmutated plan first: orders must not matter to it either.
  for (size_t i = 0; i <= accepted.size(); ++i) {
    const PlanFile &plan = i == 0 ? file : accepted[i - 1].plan;
    const std::string what = i == 0 ? "unmutated" : accepted[i - 1].what;
    for (size_t w = 0; w < std::size(kWays); ++w) {
      // Each rank draws its own order.
      const uint64_t seed = options.seed * 1000003 + i * 64 + w * 8 + static_cast<uint64_t>(communicator.rank());
      auto outcome = outcomeOf(plan, communicator, options.disk, kWays[w], seed);
      if (!outcome.ok()) {
        verdicts.differs[i] = 1;
        communicator.abort();
        std::fprintf(stderr, "%s, order %zu: ", what.c_str(), w);
        printError(outcome.status());
        return 1;
      }
      if (*outcome == *expected)
        continue;
      if (!verdicts.differs[i] && !options.control)
        std::fprintf(stderr, "DIFFERENT on rank %d, order %zu: %s: %s\n", communicator.rank(), w, file.path().c_str(), what.c_str());
      verdicts.differs[i] = 1;
    }
  }
  return 0;
}

/// The plan's tallies by kind; false when it could not be judged.
bool runPlan(const std::string &path, size_t count, const MutationOptions &options, std::map<Mutation, Tally> &tallies) {
  auto file = PlanFile::load(path);
  if (!file.ok())
    return printError(file.status()), false;
  Mutator mutator(*file);
  std::deque<Accepted> accepted;
  std::mt19937_64 random(options.seed);
  std::map<Mutation, Tally> here;
  const std::vector<Mutation> kinds = options.control ? std::vector{Mutation::InstructionRemoved} : std::vector(kMutations.begin(), kMutations.end());
  for (Mutation kind : kinds)
    collect(*file, mutator, kind, count, options, random, here[kind], accepted);
  Verdicts verdicts(accepted.size());
  const int code = launchLocal(static_cast<int>(file->plan().ranks()),
                               [&](std::unique_ptr<Communicator> communicator) { return judge(*file, accepted, options, *communicator, verdicts); });
  if (code != 0 || verdicts.differs[0]) {
    std::fprintf(stderr, "%s: exit %d, the unmutated plan %s\n", path.c_str(), code,
                 verdicts.differs[0] ? "differs by the order of its streams" : "is sound");
    return false;
  }
  for (size_t i = 0; i < accepted.size(); ++i)
    (verdicts.differs[i + 1] ? here[accepted[i].kind].different : here[accepted[i].kind].equivalent) += accepted[i].drawn;
  for (const auto &[kind, tally] : here) {
    printRow(kind, tally, path);
    Tally &all = tallies[kind];
    all.drawn += tally.drawn, all.distinct += tally.distinct, all.rejected += tally.rejected;
    all.equivalent += tally.equivalent, all.different += tally.different;
  }
  std::fflush(stdout);
  return true;
}

} // namespace

int runMutations(const MutationOptions &options) {
  std::printf("%-20s %8s %9s %9s %24s %23s\n", "kind", "mutants", "distinct", "rejected", "accepted and equivalent", "accepted and different");
  std::map<Mutation, Tally> tallies;
  size_t passed = 0, failed = 0;
  const size_t share = (options.mutants + options.plans.size() - 1) / options.plans.size();
  for (const std::string &plan : options.plans)
    if (!runPlan(plan, share, options, tallies))
      ++failed;
  for (const auto &[kind, tally] : tallies) {
    printRow(kind, tally, "all plans");
    // A kind that nothing was drawn of, or that the verifier never refused, has proved nothing.
    bool proved = tally.drawn >= options.mutants && tally.rejected > 0 && (tally.different > 0) == options.control;
    ++(proved ? passed : failed);
  }
  std::printf("%zu passed, %zu failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

} // namespace zp::rt::test

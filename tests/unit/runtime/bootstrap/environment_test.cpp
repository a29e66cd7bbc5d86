#include "runtime/bootstrap/environment.h"

#include <gtest/gtest.h>
#include <map>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace zp::rt {
namespace {

using Variables = std::map<std::string, std::string>;

StatusOr<Environment> read(const Variables &variables) {
  return readEnvironment([&](const char *name) -> const char * {
    auto it = variables.find(name);
    return it == variables.end() ? nullptr : it->second.c_str();
  });
}

TEST(Environment, AProcessByItselfIsTheOnlyRank) {
  auto environment = read({});
  ASSERT_TRUE(environment.ok());
  EXPECT_EQ(environment->size, 1);
  EXPECT_FALSE(environment->launched);
}

TEST(Environment, EachLauncherIsUnderstood) {
  struct {
    Variables variables;
    bool mpi;
    int localSize;
  } cases[] = {
      {{{"RANK", "3"}, {"WORLD_SIZE", "8"}, {"LOCAL_WORLD_SIZE", "4"}}, false, 4},
      {{{"OMPI_COMM_WORLD_RANK", "3"}, {"OMPI_COMM_WORLD_SIZE", "8"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "8"}}, true, 8},
      {{{"PMI_RANK", "3"}, {"PMI_SIZE", "8"}}, true, 0},
      {{{"RANK", "3"}, {"WORLD_SIZE", "8"}, {"LOCAL_SIZE", "8"}, {"CROSS_SIZE", "1"}}, false, 8}, // deepspeed
      {{{"SLURM_PROCID", "3"}, {"SLURM_NTASKS", "8"}, {"SLURM_STEP_ID", "0"}, {"PMIX_RANK", "3"}}, true, 0},
      {{{"SLURM_PROCID", "3"}, {"SLURM_NTASKS", "8"}, {"SLURM_STEP_ID", "0"}, {"SLURM_STEP_TASKS_PER_NODE", "8"}}, false, 8},
      {{{"PMI_RANK", "3"}, {"PMI_SIZE", "8"}, {"SLURM_PROCID", "3"}, {"SLURM_NTASKS", "8"}, {"SLURM_STEP_ID", "0"}}, false, 0}, // --mpi=pmi2
      {{{"RANK", "3"}, {"OMPI_COMM_WORLD_RANK", "3"}, {"OMPI_COMM_WORLD_SIZE", "8"}}, true, 0}, // RANK alone is no set
      {{{"RANK", "3"}, {"WORLD_SIZE", "8"}, {"OMPI_COMM_WORLD_RANK", "3"}, {"OMPI_COMM_WORLD_SIZE", "8"}}, true, 0},
      {{{"RANK", "3"}, {"WORLD_SIZE", "8"}, {"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "1"}}, false, 0}, // torchrun inside a job
  };
  for (const auto &c : cases) {
    auto environment = read(c.variables);
    ASSERT_TRUE(environment.ok()) << environment.status().toString();
    EXPECT_TRUE(environment->launched);
    EXPECT_EQ(environment->rank, 3);
    EXPECT_EQ(environment->size, 8);
    EXPECT_EQ(environment->mpi, c.mpi) << environment->source;
    EXPECT_EQ(environment->localSize, c.localSize);
  }
}

TEST(Environment, SlurmSaysHowManyTasksEachNodeHas) {
  Variables task = {{"SLURM_PROCID", "3"}, {"SLURM_NTASKS", "11"}, {"SLURM_STEP_ID", "0"}, {"SLURM_STEP_TASKS_PER_NODE", "4(x2),3"}};
  const std::pair<const char *, int> nodes[] = {{"0", 4}, {"1", 4}, {"2", 3}, {"3", 0}};
  for (auto [node, tasks] : nodes) {
    task["SLURM_NODEID"] = node;
    EXPECT_EQ(read(task)->localSize, tasks) << node;
  }
  task["SLURM_STEP_TASKS_PER_NODE"] = "many";
  EXPECT_EQ(read(task)->localSize, 0);
}

TEST(Environment, ABatchScriptIsNoTask) {
  auto environment = read({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}, {"SLURM_JOB_ID", "7"}});
  ASSERT_TRUE(environment.ok());
  EXPECT_FALSE(environment->launched);
}

TEST(Environment, NonsenseIsAConfigError) {
  for (const Variables &variables : std::vector<Variables>{
           {{"RANK", "x"}, {"WORLD_SIZE", "8"}},
           {{"RANK", "1 "}, {"WORLD_SIZE", "8"}},
           {{"RANK", ""}, {"WORLD_SIZE", "8"}},
           {{"RANK", "-1"}, {"WORLD_SIZE", "8"}},
           {{"RANK", "8"}, {"WORLD_SIZE", "8"}},
           {{"RANK", "0"}, {"WORLD_SIZE", "0"}},
           {{"RANK", "0"}, {"WORLD_SIZE", "99999999999"}},
           {{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "2"}},
           {{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"PMI_RANK", "0"}, {"PMI_SIZE", "4"}},
           {{"RANK", "0"}},
           {{"OMPI_COMM_WORLD_SIZE", "2"}, {"RANK", "3"}},
           {{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"OMPI_COMM_WORLD_SIZE", "4"}},
           {{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"PMI_RANK", "1"}},
       }) {
    Status status = read(variables).status();
    EXPECT_EQ(status.code(), ErrorCode::Config) << variables.begin()->second;
    EXPECT_EQ(exitCodeOf(status.code()), 2);
  }
}

TEST(Connect, RanksOnSeveralHostsAreSentToMpi) {
  auto environment = read({{"RANK", "0"}, {"WORLD_SIZE", "8"}, {"LOCAL_WORLD_SIZE", "4"}});
  Status status = connect(*environment).status();
  EXPECT_EQ(status.code(), ErrorCode::Network);
  EXPECT_NE(status.message().find("mpirun"), std::string::npos);
}

TEST(Connect, WithoutRankZeroTheOthersGiveUp) {
  auto environment = read({{"RANK", "1"}, {"WORLD_SIZE", "2"}, {"MASTER_PORT", "no-such-job-" + std::to_string(getpid())}});
  EXPECT_EQ(connect(*environment, 0.2).status().code(), ErrorCode::Network);
}

TEST(Connect, RanksOfOneHostMeetByTheirJobsVariables) {
  // Twice, for a name that the first job left behind would mislead the second.
  for (int job = 0; job < 2; ++job) {
    std::vector<pid_t> pids;
    for (int rank : {2, 1, 0}) {
      pid_t pid = ::fork();
      if (pid == 0) {
        ::alarm(60);
        auto environment =
            read({{"RANK", std::to_string(rank)}, {"WORLD_SIZE", "3"}, {"MASTER_ADDR", "localhost"}, {"MASTER_PORT", std::to_string(getppid())}});
        auto communicator = connect(*environment);
        float sum = static_cast<float>(rank + 1);
        if (!communicator.ok() || !(*communicator)->allReduce(&sum, 1, DType::F32).ok())
          ::_exit(1);
        communicator->reset();
        ::_exit(sum == 6 ? 0 : 2);
      }
      pids.push_back(pid);
    }
    for (pid_t pid : pids) {
      int state = 0;
      ::waitpid(pid, &state, 0);
      EXPECT_EQ(state, 0);
    }
  }
}

} // namespace
} // namespace zp::rt

// What the CUDA target calls of NCCL, among processes of one host that have emulated devices: a libnccl.so.2 for tests. Work goes into the
// emulated stream that it is asked for in, and waits there for the peers, for ever if one never comes, until it is aborted.
// As NCCL does, the first collective waits on the host until all ranks have come to theirs (connections are made there), and an abort
// waits until no graph is left that keeps a collective.
//
// Faults on demand: ZP_FAKE_NCCL_DIES=RANK:COUNT kills that rank when it asks for its COUNT-th collective, RANK:init before it has met
// the others; ZP_FAKE_NCCL_LACKS=init is a failure of CUDA's there.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <nccl.h>

/// Of the program (nccl_bridge.cpp): work that is tried in the stream until it returns true; `forget` hears when nothing refers to it any
/// more. True when a graph keeps it.
extern "C" bool zpAskUntil(void *stream, bool (*work)(void *), void (*forget)(void *), void *data);

namespace {

constexpr int kMostRanks = 8;
constexpr size_t kSlotBytes = 64 << 20; // of a rank; pages come as they are written

struct Rank {
  std::atomic<uint64_t> arrived, done; // collectives
};
struct World {
  std::atomic<int> joined, connected;
  Rank ranks[kMostRanks];
  alignas(64) unsigned char slots[];
};

struct Operation;

} // namespace

struct ncclComm {
  World *world = nullptr;
  int rank = 0, size = 1;
  uint64_t count = 0; // collectives that this rank has begun
  uint64_t asked = 0; // collectives that the host has asked this rank for
  std::atomic<bool> aborted = false;
  std::atomic<int> keptByGraphs = 0;
  std::vector<std::unique_ptr<Operation>> operations; // streams and graphs refer to them

  unsigned char *slot(int of) const { return world->slots + static_cast<size_t>(of) * kSlotBytes; }
  template <typename Test> bool all(const Test &test) const {
    for (int r = 0; r < size; ++r)
      if (!test(world->ranks[r]))
        return false;
    return true;
  }
};

namespace {

enum class Kind { Gather, Scatter, Reduce };

struct Operation {
  ncclComm *group;
  Kind kind;
  const void *input;
  void *output;
  size_t count; // of a rank's elements, or of all when they are reduced whole
  ncclDataType_t type;
  uint64_t number = 0; // while it is under way
  bool kept = false;   // by a graph
};

std::string &lastError() {
  static std::string text;
  return text;
}

/// Whether ZP_FAKE_NCCL_DIES names this rank and this moment.
void dieAt(int rank, const std::string &moment) {
  const char *wanted = std::getenv("ZP_FAKE_NCCL_DIES");
  if (wanted && wanted == std::to_string(rank) + ":" + moment)
    std::raise(SIGKILL);
}

void rest() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

size_t sizeOf(ncclDataType_t type) { return type == ncclFloat64 ? 8 : type == ncclFloat32 ? 4 : 1; }

template <typename T> void sum(const Operation &o, size_t begin) {
  auto *out = static_cast<T *>(o.output);
  for (size_t i = 0; i < o.count; ++i) {
    T total = 0;
    for (int r = 0; r < o.group->size; ++r)
      total += reinterpret_cast<const T *>(o.group->slot(r))[begin + i];
    out[i] = total;
  }
}

void finish(const Operation &o) {
  const size_t bytes = o.count * sizeOf(o.type);
  if (o.kind == Kind::Gather) {
    for (int r = 0; r < o.group->size; ++r)
      std::memcpy(static_cast<char *>(o.output) + static_cast<size_t>(r) * bytes, o.group->slot(r), bytes);
    return;
  }
  const size_t begin = o.kind == Kind::Scatter ? static_cast<size_t>(o.group->rank) * o.count : 0;
  if (o.type == ncclFloat64)
    sum<double>(o, begin);
  else
    sum<float>(o, begin);
}

bool advance(void *data) {
  Operation &o = *static_cast<Operation *>(data);
  ncclComm &group = *o.group;
  if (group.aborted)
    return o.number = 0, true;
  Rank &own = group.world->ranks[group.rank];
  if (o.number == 0) {
    if (!group.all([&](const Rank &r) { return r.done >= group.count; })) // slots are still being read
      return false;
    o.number = ++group.count;
    const size_t shares = o.kind == Kind::Scatter ? static_cast<size_t>(group.size) : 1;
    std::memcpy(group.slot(group.rank), o.input, shares * o.count * sizeOf(o.type));
    own.arrived = o.number;
  }
  if (!group.all([&](const Rank &r) { return r.arrived >= o.number; }))
    return false;
  finish(o);
  own.done = o.number;
  o.number = 0; // a graph may replay it
  return true;
}

void forget(void *data) {
  auto *operation = static_cast<Operation *>(data);
  if (operation->kept)
    --operation->group->keptByGraphs;
}

/// The first collective's: the host waits for all ranks.
void connect(ncclComm &group) {
  ++group.world->connected;
  while (group.world->connected < group.size && !group.aborted)
    rest();
}

ncclResult_t ask(ncclComm *group, Kind kind, const void *input, void *output, size_t count, ncclDataType_t type, cudaStream_t stream) {
  dieAt(group->rank, std::to_string(++group->asked));
  if (group->asked == 1)
    connect(*group);
  const size_t shares = kind == Kind::Scatter ? static_cast<size_t>(group->size) : 1;
  if (shares * count * sizeOf(type) > kSlotBytes)
    return ncclInvalidArgument;
  group->operations.push_back(std::make_unique<Operation>(Operation{group, kind, input, output, count, type}));
  Operation *operation = group->operations.back().get();
  operation->kept = zpAskUntil(stream, advance, forget, operation);
  if (operation->kept)
    ++group->keptByGraphs;
  return ncclSuccess;
}

} // namespace

extern "C" {

ncclResult_t ncclGetUniqueId(ncclUniqueId *id) {
  std::snprintf(id->internal, sizeof id->internal, "/zp-fake-nccl-%d", ::getpid());
  return ncclSuccess;
}

ncclResult_t ncclCommInitRank(ncclComm_t *group, int size, ncclUniqueId id, int rank) {
  if (size > kMostRanks)
    return ncclInvalidArgument;
  if (const char *lacks = std::getenv("ZP_FAKE_NCCL_LACKS"); lacks && std::string(lacks) == "init") {
    lastError() = "Cuda failure 2 'out of memory'";
    return ncclUnhandledCudaError;
  }
  dieAt(rank, "init");
  const size_t bytes = sizeof(World) + static_cast<size_t>(size) * kSlotBytes;
  int file = -1;
  struct stat info {};
  while (file < 0 || ::fstat(file, &info) != 0 || info.st_size != static_cast<off_t>(bytes)) {
    if (file < 0)
      file = ::shm_open(id.internal, rank == 0 ? O_RDWR | O_CREAT : O_RDWR, 0600);
    if (rank == 0 && ::ftruncate(file, static_cast<off_t>(bytes)) != 0)
      return ncclSystemError;
    rest();
  }
  void *memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (memory == MAP_FAILED)
    return ncclSystemError;
  *group = new ncclComm;
  (*group)->world = static_cast<World *>(memory);
  (*group)->rank = rank;
  (*group)->size = size;
  ++(*group)->world->joined;
  while ((*group)->world->joined < size)
    rest();
  if (rank == 0)
    ::shm_unlink(id.internal);
  return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t group) {
  group->aborted = true; // it stays: what streams still hold refers to it
  while (group->keptByGraphs != 0)
    rest();
  return ncclSuccess;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t, ncclResult_t *error) {
  *error = ncclSuccess;
  return ncclSuccess;
}

ncclResult_t ncclAllGather(const void *shard, void *whole, size_t count, ncclDataType_t type, ncclComm_t group, cudaStream_t stream) {
  return ask(group, Kind::Gather, shard, whole, count, type, stream);
}

ncclResult_t ncclReduceScatter(const void *whole, void *shard, size_t count, ncclDataType_t type, ncclRedOp_t, ncclComm_t group,
                               cudaStream_t stream) {
  return ask(group, Kind::Scatter, whole, shard, count, type, stream);
}

ncclResult_t ncclAllReduce(const void *input, void *output, size_t count, ncclDataType_t type, ncclRedOp_t, ncclComm_t group, cudaStream_t stream) {
  return ask(group, Kind::Reduce, input, output, count, type, stream);
}

const char *ncclGetErrorString(ncclResult_t result) { return result == ncclSuccess ? "no error" : "an error of the fake"; }
const char *ncclGetLastError(ncclComm_t) { return lastError().c_str(); }

} // extern "C"

// What the CUDA target calls of NCCL, among processes of one host that have emulated devices: a libnccl.so.2 for tests. Work goes into the
// emulated stream that it is asked for in, and waits there for the peers, for ever if one never comes, until it is aborted.
#include <atomic>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sys/mman.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <nccl.h>

/// Of the program (zprun_emulated): work that is tried in the stream until it returns true.
extern "C" void zpAskUntil(void *stream, bool (*work)(void *), void *data);

namespace {

constexpr int kMostRanks = 8;
constexpr size_t kSlotBytes = 64 << 20; // of a rank; pages come as they are written

struct Rank {
  std::atomic<uint64_t> arrived, done; // collectives
};
struct World {
  std::atomic<int> joined;
  Rank ranks[kMostRanks];
  alignas(64) unsigned char slots[];
};

struct Operation;

} // namespace

struct ncclComm {
  World *world = nullptr;
  int rank = 0, size = 1;
  uint64_t count = 0; // collectives that this rank has begun
  std::atomic<bool> aborted = false;
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
};

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

ncclResult_t ask(ncclComm *group, Kind kind, const void *input, void *output, size_t count, ncclDataType_t type, cudaStream_t stream) {
  const size_t shares = kind == Kind::Scatter ? static_cast<size_t>(group->size) : 1;
  if (shares * count * sizeOf(type) > kSlotBytes)
    return ncclInvalidArgument;
  group->operations.push_back(std::make_unique<Operation>(Operation{group, kind, input, output, count, type}));
  zpAskUntil(stream, advance, group->operations.back().get());
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
  const size_t bytes = sizeof(World) + static_cast<size_t>(size) * kSlotBytes;
  int file = -1;
  struct stat info {};
  while (file < 0 || ::fstat(file, &info) != 0 || info.st_size != static_cast<off_t>(bytes)) {
    if (file < 0)
      file = ::shm_open(id.internal, rank == 0 ? O_RDWR | O_CREAT : O_RDWR, 0600);
    if (rank == 0 && ::ftruncate(file, static_cast<off_t>(bytes)) != 0)
      return ncclSystemError;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
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
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  if (rank == 0)
    ::shm_unlink(id.internal);
  return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t group) {
  group->aborted = true; // it stays: what streams still hold refers to it
  return ncclSuccess;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t, ncclResult_t *error) {
  *error = ncclSuccess;
  return ncclSuccess;
}

ncclResult_t ncclAllGather(const void *shard, void *whole, size_t count, ncclDataType_t type, ncclComm_t group, cudaStream_t stream) {
  return ask(group, Kind::Gather, shard, whole, count, type, stream);
}

ncclResult_t ncclReduceScatter(const void *whole, void *shard, size_t count, ncclDataType_t type, ncclRedOp_t, ncclComm_t group, cudaStream_t stream) {
  return ask(group, Kind::Scatter, whole, shard, count, type, stream);
}

ncclResult_t ncclAllReduce(const void *input, void *output, size_t count, ncclDataType_t type, ncclRedOp_t, ncclComm_t group, cudaStream_t stream) {
  return ask(group, Kind::Reduce, input, output, count, type, stream);
}

const char *ncclGetErrorString(ncclResult_t result) { return result == ncclSuccess ? "no error" : "an error of the fake"; }

} // extern "C"

#include <dlfcn.h>
#include <vector>

#include <nccl.h>

#include "runtime/collective/device/device_collectives.h"

namespace zp::rt {
namespace {

constexpr const char *kLibrary = "libnccl.so.2";

#define ZP_NCCL(X)                                                                                                                                   \
  X(ncclGetUniqueId)                                                                                                                                 \
  X(ncclCommInitRank)                                                                                                                                \
  X(ncclCommAbort)                                                                                                                                   \
  X(ncclCommGetAsyncError)                                                                                                                           \
  X(ncclAllGather)                                                                                                                                   \
  X(ncclReduceScatter)                                                                                                                               \
  X(ncclAllReduce)                                                                                                                                   \
  X(ncclGetErrorString)

struct Library {
#define ZP_MEMBER(name) decltype(&::name) name = nullptr;
  ZP_NCCL(ZP_MEMBER)
#undef ZP_MEMBER
  Status open() {
    void *handle = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
      return Status(ErrorCode::Config, std::string("nccl: ") + dlerror() + ", expected " + kLibrary +
                                           " where the loader looks; install NCCL for CUDA 13, or add its folder to LD_LIBRARY_PATH");
#define ZP_FIND(name)                                                                                                                                \
  if (!(name = reinterpret_cast<decltype(name)>(dlsym(handle, #name))))                                                                              \
    return Status(ErrorCode::Config, std::string("nccl: ") + kLibrary + " has no " #name ", expected that of NCCL 2; install NCCL for CUDA 13");
    ZP_NCCL(ZP_FIND)
#undef ZP_FIND
    return {};
  }
};

class NcclCollectives final : public DeviceCollectives {
public:
  explicit NcclCollectives(Communicator &communicator) : communicator(communicator) {}
  ~NcclCollectives() override {
    if (group)
      library.ncclCommAbort(group); // never waits for a peer that is gone
  }

  /// Rank 0's identity goes to all by way of a gather, and with it who is ready: whoever enters NCCL's own meeting waits there for all.
  Status open() {
    struct Hello {
      ncclUniqueId identity;
      bool ready;
    } mine{};
    Status opened = library.open();
    if (opened.ok() && communicator.rank() == 0)
      opened = statusOf(library.ncclGetUniqueId(&mine.identity), "ncclGetUniqueId");
    mine.ready = opened.ok();
    std::vector<Hello> all(static_cast<size_t>(communicator.size()));
    ZP_RETURN_IF_ERROR(communicator.allGather(&mine, all.data(), sizeof mine)); // also by a rank that has failed: the others wait in it
    ZP_RETURN_IF_ERROR(opened);
    for (size_t rank = 0; rank < all.size(); ++rank)
      if (!all[rank].ready)
        return Status(ErrorCode::PeerLost, "nccl: rank " + std::to_string(rank) +
                                               " could not load it, expected all ranks to; look at that rank's message");
    return statusOf(library.ncclCommInitRank(&group, communicator.size(), all[0].identity, communicator.rank()), "ncclCommInitRank");
  }

  bool waitsForPeers() const override { return true; }
  /// NCCL says what it has met itself; that a peer on the same host is gone the job's communicator knows first.
  Status watch() override {
    ncclResult_t met = ncclSuccess;
    Status status = statusOf(library.ncclCommGetAsyncError(group, &met), "ncclCommGetAsyncError");
    if (status.ok() && met != ncclInProgress)
      status = statusOf(met, "a collective");
    if (Status peers = communicator.checkPeers(); !peers.ok())
      status = peers; // the cause, where both know something
    if (!status.ok()) {
      library.ncclCommAbort(group); // what waits in streams ends, with whatever it has
      group = nullptr;
    }
    return status;
  }

  const char *engine() const override { return "nccl"; }
  bool isAsynchronous() const override { return true; }
  Status allGather(const void *shard, void *whole, size_t bytes, cuda::Stream stream) override {
    return statusOf(library.ncclAllGather(shard, whole, bytes, ncclUint8, group, native(stream)), "ncclAllGather");
  }
  Status reduceScatter(void *whole, void *shard, size_t count, DType dtype, cuda::Stream stream) override {
    return statusOf(library.ncclReduceScatter(whole, shard, count, typeOf(dtype), ncclSum, group, native(stream)), "ncclReduceScatter");
  }
  Status allReduce(void *data, size_t count, DType dtype, cuda::Stream stream) override {
    return statusOf(library.ncclAllReduce(data, data, count, typeOf(dtype), ncclSum, group, native(stream)), "ncclAllReduce");
  }

private:
  static cudaStream_t native(cuda::Stream stream) { return static_cast<cudaStream_t>(stream); }
  static ncclDataType_t typeOf(DType dtype) { return dtype == DType::F64 ? ncclFloat64 : ncclFloat32; }
  Status statusOf(ncclResult_t result, const char *what) const {
    if (result == ncclSuccess)
      return {};
    return Status(ErrorCode::Network, std::string("nccl: ") + what + ": " + library.ncclGetErrorString(result) +
                                          ", expected success; NCCL_DEBUG=INFO says more");
  }

  Communicator &communicator;
  Library library;
  ncclComm_t group = nullptr;
};

} // namespace

StatusOr<std::unique_ptr<DeviceCollectives>> createNcclCollectives(Communicator &communicator) {
  auto collectives = std::make_unique<NcclCollectives>(communicator);
  ZP_RETURN_IF_ERROR(collectives->open());
  return std::unique_ptr<DeviceCollectives>(std::move(collectives));
}

} // namespace zp::rt

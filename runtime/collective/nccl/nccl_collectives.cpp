#include <algorithm>
#include <atomic>
#include <chrono>
#include <dlfcn.h>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <nccl.h>

#include "runtime/collective/device/device_collectives.h"
#include "runtime/collective/ordered_sum.h"
#include "runtime/device/cuda/library.h"

namespace zp::rt {
namespace {

constexpr const char *kLibrary = "libnccl.so.2";
constexpr auto kAbortWithin = std::chrono::seconds(5);
constexpr uint64_t kRoom = 512u << 20; // of a device: NCCL fails for nothing else where there is less

#define ZP_NCCL(X)                                                                                                                                   \
  X(ncclGetUniqueId)                                                                                                                                 \
  X(ncclCommInitRank)                                                                                                                                \
  X(ncclCommAbort)                                                                                                                                   \
  X(ncclCommGetAsyncError)                                                                                                                           \
  X(ncclAllGather)                                                                                                                                   \
  X(ncclReduceScatter)                                                                                                                               \
  X(ncclAllReduce)                                                                                                                                   \
  X(ncclGetErrorString)                                                                                                                              \
  X(ncclGetLastError)

struct Library {
#define ZP_MEMBER(name) decltype(&::name) name = nullptr;
  ZP_NCCL(ZP_MEMBER)
#undef ZP_MEMBER
  Status open() {
    std::string why;
    void *handle = cuda::openLibrary(kLibrary, why);
    if (!handle)
      return Status(ErrorCode::Config, "nccl: " + why + ", expected " + kLibrary +
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
  NcclCollectives(Communicator &communicator, std::string device) : communicator(communicator), device(std::move(device)) {}
  /// By an abort at the end of a run in order, too: all ranks have met before it, and it waits for no peer that is gone.
  ~NcclCollectives() override { abort(); }

  /// Rank 0's identity goes to all by way of a gather, and with it who is ready and on which device: whoever enters NCCL's own meeting waits
  /// there for all.
  Status open() {
    Hello mine{};
    device.copy(mine.device, sizeof mine.device - 1);
    Status opened = library.open();
    if (opened.ok() && communicator.rank() == 0)
      opened = statusOf(library.ncclGetUniqueId(&mine.identity), "ncclGetUniqueId");
    mine.ready = opened.ok();
    std::vector<Hello> all(static_cast<size_t>(communicator.size()));
    ZP_RETURN_IF_ERROR(communicator.allGather(&mine, all.data(), sizeof mine)); // also by a rank that has failed: the others wait in it
    ZP_RETURN_IF_ERROR(opened);
    for (size_t rank = 0; rank < all.size(); ++rank)
      if (!all[rank].ready)
        return Status(ErrorCode::PeerLost,
                      "nccl: rank " + std::to_string(rank) + " could not load it, expected all ranks to; look at that rank's message");
    ZP_RETURN_IF_ERROR(checkDevices(all));
    ncclComm_t made = nullptr;
    ZP_RETURN_IF_ERROR(statusOf(library.ncclCommInitRank(&made, communicator.size(), all[0].identity, communicator.rank()), "ncclCommInitRank"));
    group = made;
    return {};
  }

  bool waitsForPeers() const override { return true; }
  /// NCCL says what it has met itself; that a peer on the same host is gone the job's communicator knows first.
  Status watch() override {
    ZP_RETURN_IF_ERROR(communicator.checkPeers()); // the cause, where both know something
    const std::lock_guard lock(asking);
    const ncclComm_t asked = group;
    if (!asked)
      return {};
    ncclResult_t met = ncclSuccess;
    ZP_RETURN_IF_ERROR(statusOf(library.ncclCommGetAsyncError(asked, &met), "ncclCommGetAsyncError"));
    return met == ncclInProgress ? Status() : statusOf(met, "a collective");
  }
  /// On a thread of its own, which is left behind when it takes too long: the process is about to end.
  void abort() override {
    const ncclComm_t ended = giveUp();
    if (!ended)
      return;
    const auto over = std::make_shared<std::promise<void>>();
    try {
      std::thread([abort = library.ncclCommAbort, ended, over] {
        abort(ended);
        over->set_value();
      }).detach();
    } catch (const std::system_error &) {
      library.ncclCommAbort(ended);
      return;
    }
    over->get_future().wait_for(kAbortWithin);
  }

  const char *engine() const override { return "nccl"; }
  bool isAsynchronous() const override { return true; }
  Status allGather(const void *shard, void *whole, size_t bytes, cuda::Stream stream) override {
    return statusOf(library.ncclAllGather(shard, whole, bytes, ncclUint8, group, native(stream)), "ncclAllGather");
  }
  Status reduceScatter(void *whole, void *shard, size_t count, DType dtype, cuda::Stream stream) override {
    ZP_RETURN_IF_ERROR(checkSummed("reduce_scatter", dtype));
    return statusOf(library.ncclReduceScatter(whole, shard, count, typeOf(dtype), ncclSum, group, native(stream)), "ncclReduceScatter");
  }
  Status allReduce(void *data, size_t count, DType dtype, cuda::Stream stream) override {
    ZP_RETURN_IF_ERROR(checkSummed("all_reduce", dtype));
    return statusOf(library.ncclAllReduce(data, data, count, typeOf(dtype), ncclSum, group, native(stream)), "ncclAllReduce");
  }

private:
  /// Nobody asks it any more.
  ncclComm_t giveUp() {
    const std::lock_guard lock(asking);
    return group.exchange(nullptr);
  }

  struct Hello {
    ncclUniqueId identity;
    char device[64];
    bool ready;
  };

  /// NCCL takes no two ranks of one device: it says so to those, and the others wait in its sockets.
  static Status checkDevices(const std::vector<Hello> &all) {
    std::map<std::string, size_t> first;
    for (size_t rank = 0; rank < all.size(); ++rank)
      if (const auto [place, fresh] = first.emplace(all[rank].device, rank); !fresh)
        return Status(ErrorCode::Config, "nccl: ranks " + std::to_string(place->second) + " and " + std::to_string(rank) +
                                             " have one GPU, expected one a rank; start as many ranks as there are GPUs (CUDA_VISIBLE_DEVICES says "
                                             "which are seen), or set ZP_DEVICE_COLLECTIVES=staged");
    return {};
  }

  static cudaStream_t native(cuda::Stream stream) { return static_cast<cudaStream_t>(stream); }
  static ncclDataType_t typeOf(DType dtype) { return dtype == DType::F64 ? ncclFloat64 : ncclFloat32; }
  Status statusOf(ncclResult_t result, const char *what) const {
    if (result == ncclSuccess)
      return {};
    std::string said = std::string("nccl: ") + what + ": " + library.ncclGetErrorString(result);
    if (std::string last = library.ncclGetLastError(group); !last.empty()) {
      std::replace(last.begin(), last.end(), '\n', ' '); // a message is one line
      said += " (" + last.substr(0, last.find_last_not_of(' ') + 1) + ")";
    }
    // CUDA's error isn't passed on: that its memory was short is known by what is left.
    if (const uint64_t free = cuda::freeMemory(); result == ncclUnhandledCudaError && free < kRoom)
      return Status(ErrorCode::DeviceMemory, said + " with " + std::to_string(free) + " bytes of the GPU free, expected room for its buffers, " +
                                                 std::to_string(kRoom) +
                                                 " bytes; end what else uses the GPU, see nvidia-smi, or compile with --memory_budget");
    return Status(ErrorCode::Network, said + ", expected success; NCCL_DEBUG=INFO says more");
  }

  Communicator &communicator;
  std::string device;
  Library library;
  std::mutex asking; ///< held while `group` is asked for errors: nobody frees it meanwhile
  std::atomic<ncclComm_t> group = nullptr;
};

} // namespace

StatusOr<std::unique_ptr<DeviceCollectives>> createNcclCollectives(Communicator &communicator, const std::string &device) {
  auto collectives = std::make_unique<NcclCollectives>(communicator, device);
  ZP_RETURN_IF_ERROR(collectives->open());
  return std::unique_ptr<DeviceCollectives>(std::move(collectives));
}

} // namespace zp::rt

#include "runtime/collective/mpi/mpi_communicator.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mpi.h>
#include <string>
#include <vector>

#include "runtime/collective/ordered_sum.h"

namespace zp::rt {
namespace {

constexpr size_t kStageBytes = 8 << 20;    // each of the two stages, whatever the number of ranks
constexpr size_t kLargestCount = 1u << 30; // MPI counts are ints

Status toStatus(const char *doing, int result) {
  if (result == MPI_SUCCESS)
    return {};
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(result, text, &length);
  return Status(ErrorCode::PeerLost, std::string(doing) + ": MPI reports " + std::string(text, static_cast<size_t>(length)) +
                                         ", expected all ranks until the end; look at the other ranks' messages and start the job again");
}

class MpiCommunicator : public Communicator {
public:
  Status initialise();
  ~MpiCommunicator() override {
    if (initialised && !failed)
      MPI_Finalize();
  }

  int rank() const override { return own; }
  int size() const override { return world; }
  const char *engine() const override { return "mpi"; }
  int localSize() const override { return here; }
  int localRank() const override { return ownHere; }

  Status allGather(const void *shard, void *whole, size_t bytes) override;
  Status reduceScatter(void *whole, void *shard, size_t count, DType dtype) override;
  Status allReduce(void *data, size_t count, DType dtype) override;
  Status barrier() override { return checked("barrier", MPI_Barrier(MPI_COMM_WORLD)); }
  void abort() override { failed = true; }

private:
  Status checked(const char *doing, int result) {
    if (result != MPI_SUCCESS)
      failed = true;
    return toStatus(doing, result);
  }

  int own = 0, world = 1, here = 1, ownHere = 0;
  bool initialised = false;
  std::atomic<bool> failed = false;          // `abort` may be called by any thread
  std::vector<std::byte> outgoing, incoming; // as large as they ever get, from the start
};

Status MpiCommunicator::initialise() {
  int provided = 0;
  // Collectives may come from a stream's thread, never from two at once.
  ZP_RETURN_IF_ERROR(checked("MPI_Init_thread", MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided)));
  initialised = true;
  if (provided < MPI_THREAD_SERIALIZED)
    return Status(ErrorCode::Network,
                  "mpi: gives thread support " + std::to_string(provided) + ", expected MPI_THREAD_SERIALIZED; use an Open MPI built with threads");
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  ZP_RETURN_IF_ERROR(checked("MPI_Comm_rank", MPI_Comm_rank(MPI_COMM_WORLD, &own)));
  ZP_RETURN_IF_ERROR(checked("MPI_Comm_size", MPI_Comm_size(MPI_COMM_WORLD, &world)));
  MPI_Comm host;
  ZP_RETURN_IF_ERROR(checked("MPI_Comm_split_type", MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host)));
  MPI_Comm_size(host, &here);
  MPI_Comm_rank(host, &ownHere);
  MPI_Comm_free(&host);
  outgoing.resize(kStageBytes);
  incoming.resize(kStageBytes);
  return {};
}

Status MpiCommunicator::allGather(const void *shard, void *whole, size_t bytes) {
  auto *target = static_cast<std::byte *>(whole);
  std::byte *place = target + static_cast<size_t>(own) * bytes;
  if (place != shard)
    std::memmove(place, shard, bytes);
  if (bytes <= kLargestCount / static_cast<size_t>(world))
    return checked("all_gather", MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, whole, static_cast<int>(bytes), MPI_BYTE, MPI_COMM_WORLD));
  for (int root = 0; root < world; ++root)
    for (size_t done = 0; done < bytes; done += kLargestCount)
      ZP_RETURN_IF_ERROR(checked("all_gather", MPI_Bcast(target + static_cast<size_t>(root) * bytes + done,
                                                         static_cast<int>(std::min(kLargestCount, bytes - done)), MPI_BYTE, root, MPI_COMM_WORLD)));
  return {};
}

Status MpiCommunicator::reduceScatter(void *whole, void *shard, size_t count, DType dtype) {
  ZP_RETURN_IF_ERROR(checkSummed("reduce_scatter", dtype));
  const size_t element = bytesOf(dtype, 1), ranks = static_cast<size_t>(world);
  const size_t most = kStageBytes / ranks / 64 * 64 / element;
  for (size_t done = 0; done < count; done += most) {
    size_t n = std::min(most, count - done), bytes = n * element;
    for (size_t reader = 0; reader < ranks; ++reader)
      std::memcpy(outgoing.data() + reader * bytes, static_cast<std::byte *>(whole) + (reader * count + done) * element, bytes);
    ZP_RETURN_IF_ERROR(checked("reduce_scatter", MPI_Alltoall(outgoing.data(), static_cast<int>(bytes), MPI_BYTE, incoming.data(),
                                                              static_cast<int>(bytes), MPI_BYTE, MPI_COMM_WORLD)));
    sumInOrder(incoming.data(), bytes, world, n, dtype, static_cast<std::byte *>(shard) + done * element);
  }
  return {};
}

Status MpiCommunicator::allReduce(void *data, size_t count, DType dtype) {
  ZP_RETURN_IF_ERROR(checkSummed("all_reduce", dtype));
  const size_t element = bytesOf(dtype, 1), most = kStageBytes / static_cast<size_t>(world) / 64 * 64 / element;
  for (size_t done = 0; done < count; done += most) {
    size_t n = std::min(most, count - done), bytes = n * element;
    std::byte *here = static_cast<std::byte *>(data) + done * element;
    ZP_RETURN_IF_ERROR(checked(
        "all_reduce", MPI_Allgather(here, static_cast<int>(bytes), MPI_BYTE, incoming.data(), static_cast<int>(bytes), MPI_BYTE, MPI_COMM_WORLD)));
    sumInOrder(incoming.data(), bytes, world, n, dtype, here);
  }
  return {};
}

} // namespace

StatusOr<std::unique_ptr<Communicator>> createMpiCommunicator() {
  auto communicator = std::make_unique<MpiCommunicator>();
  ZP_RETURN_IF_ERROR(communicator->initialise());
  return std::unique_ptr<Communicator>(std::move(communicator));
}

} // namespace zp::rt

#include "runtime/executor/cuda/disk_copies.h"

#include <algorithm>

#include "runtime/executor/cuda/await_stream.h"

namespace zp::rt {

constexpr uint64_t kPiece = 4 << 20;

Status DiskCopies::open(CudaMemory &allMemory, DeviceCollectives &watched) {
  memory = &allMemory;
  collectives = &watched;
  if (!memory->disk().engine().empty()) {
    ZP_ASSIGN_OR_RETURN(piece, memory->pinned(kPiece)); // locked memory is dear: none without a disk
  }
  return {};
}

Status DiskCopies::toMemory(uint64_t at, void *target, uint64_t bytes, cuda::Stream stream) {
  ZP_RETURN_IF_ERROR(awaitStream(stream, *collectives)); // whoever reads the target's old bytes has done so
  for (uint64_t done = 0; done < bytes; done += kPiece) {
    const uint64_t here = std::min(kPiece, bytes - done);
    ZP_RETURN_IF_ERROR(memory->disk().read(at + done, piece, here));
    ZP_RETURN_IF_ERROR(cuda::copyAsync(static_cast<uint8_t *>(target) + done, piece, here, stream));
    ZP_RETURN_IF_ERROR(awaitStream(stream, *collectives));
  }
  return {};
}

Status DiskCopies::toDisk(const void *source, uint64_t at, uint64_t bytes, cuda::Stream stream) {
  for (uint64_t done = 0; done < bytes; done += kPiece) {
    const uint64_t here = std::min(kPiece, bytes - done);
    ZP_RETURN_IF_ERROR(cuda::copyAsync(piece, static_cast<const uint8_t *>(source) + done, here, stream));
    ZP_RETURN_IF_ERROR(awaitStream(stream, *collectives));
    ZP_RETURN_IF_ERROR(memory->disk().write(at + done, piece, here));
  }
  return {};
}

Status DiskCopies::onDisk(uint64_t from, uint64_t to, uint64_t bytes) {
  for (uint64_t done = 0; done < bytes; done += kPiece) {
    const uint64_t here = std::min(kPiece, bytes - done);
    ZP_RETURN_IF_ERROR(memory->disk().read(from + done, piece, here));
    ZP_RETURN_IF_ERROR(memory->disk().write(to + done, piece, here));
  }
  return {};
}

} // namespace zp::rt

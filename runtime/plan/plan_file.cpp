#include "runtime/plan/plan_file.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "runtime/base/atomic_file.h"
#include "runtime/plan/dataflow.h"
#include "runtime/plan/plan_verifier.h"
#include "runtime/plan/schedule_verifier.h"

namespace zp::rt {
namespace {

static_assert(std::endian::native == std::endian::little, "plan files are read in place");

constexpr uint8_t kMagic[8] = {'Z', 'P', 'L', 'A', 'N', 0, 0, 1};
constexpr uint64_t kLargestPayload = (uint64_t{1} << 31) - 1; // FlatBuffers' offsets end here
// Every table costs at least 4 bytes, so a payload under this bound holds no more tables than the verifier may visit.
constexpr unsigned kMaxTables = 1u << 26;
constexpr unsigned kMaxDepth = 16;

struct Header {
  uint8_t magic[8];
  uint32_t version;
  uint32_t reserved;
  uint64_t payloadBytes;
  uint64_t checksum;
  uint64_t dataflow;
  uint8_t zeros[24];
};
static_assert(sizeof(Header) == kPlanHeaderBytes);

bool isWellFormed(std::span<const uint8_t> payload) {
  flatbuffers::Verifier verifier(payload.data(), payload.size(), kMaxDepth, kMaxTables);
  return fbs::VerifyPlanBuffer(verifier);
}

uint64_t statedBy(std::span<const uint8_t> payload) {
  bool sound = isWellFormed(payload) && verifyPlan(*fbs::GetPlan(payload.data()), "plan").ok();
  return sound ? dataflowOf(*fbs::GetPlan(payload.data())) : 0;
}

Header headerFor(std::span<const uint8_t> payload, uint64_t dataflow) {
  Header header{};
  std::copy(std::begin(kMagic), std::end(kMagic), header.magic);
  header.version = kPlanVersion;
  header.payloadBytes = payload.size();
  header.checksum = XXH64(payload.data(), payload.size(), 0);
  header.dataflow = dataflow;
  return header;
}

Status damaged(const std::string &name, const std::string &what) {
  return Status(ErrorCode::PlanFile, name + ": " + what + "; copy the file again or compile it again with zpc");
}

} // namespace

void PlanFile::Deleter::operator()(uint8_t *memory) const { std::free(memory); }

StatusOr<PlanFile> PlanFile::load(const std::string &path) {
  auto failure = [&](int error) {
    return Status(ErrorCode::FileMissing, path + ": cannot be read (" + std::strerror(error) + "), expected a plan written by zpc; check the path");
  };
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return failure(errno);
  struct Closer {
    int fd;
    ~Closer() { ::close(fd); }
  } closer{fd};
  struct stat info;
  if (::fstat(fd, &info) != 0)
    return failure(errno);
  if (S_ISDIR(info.st_mode))
    return failure(EISDIR);
  if (static_cast<uint64_t>(info.st_size) > kPlanHeaderBytes + kLargestPayload)
    return damaged(path, "has " + std::to_string(info.st_size) + " bytes, expected a plan of less than 2 GiB");

  PlanFile file;
  file.name = path;
  file.size = static_cast<uint64_t>(info.st_size);
  file.bytes.reset(static_cast<uint8_t *>(std::aligned_alloc(64, (file.size + 127) / 64 * 64)));
  if (!file.bytes)
    return failure(ENOMEM);
  for (uint64_t done = 0; done < file.size;) {
    ssize_t n = ::read(fd, file.bytes.get() + done, file.size - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return failure(errno);
    if (n == 0)
      return damaged(path, "ends at byte " + std::to_string(done) + ", expected " + std::to_string(file.size));
    done += static_cast<uint64_t>(n);
  }
  ZP_RETURN_IF_ERROR(file.parse());
  return file;
}

StatusOr<PlanFile> PlanFile::fromBytes(std::span<const uint8_t> bytes, std::string name) {
  PlanFile file;
  file.name = std::move(name);
  file.size = bytes.size();
  file.bytes.reset(static_cast<uint8_t *>(std::aligned_alloc(64, (file.size + 127) / 64 * 64)));
  if (!file.bytes)
    return Status(ErrorCode::HostMemory, file.name + ": no memory for " + std::to_string(file.size) + " bytes");
  std::copy(bytes.begin(), bytes.end(), file.bytes.get());
  ZP_RETURN_IF_ERROR(file.parse());
  return file;
}

Status PlanFile::parse() {
  if (size < kPlanHeaderBytes)
    return damaged(name, "has " + std::to_string(size) + " bytes, expected a plan file of at least " + std::to_string(kPlanHeaderBytes));
  Header header;
  std::memcpy(&header, bytes.get(), sizeof(header));
  if (!std::equal(std::begin(kMagic), std::end(kMagic), header.magic))
    return damaged(name, "does not begin with a plan's magic bytes, expected a file written by zpc compile");
  if (header.version != kPlanVersion)
    return damaged(name, "is a plan of version " + std::to_string(header.version) + ", expected version " + std::to_string(kPlanVersion));
  bool zeros = header.reserved == 0 && std::all_of(std::begin(header.zeros), std::end(header.zeros), [](uint8_t b) { return b == 0; });
  if (!zeros)
    return damaged(name, "header: reserved bytes are not zero, expected zeros");
  if (header.payloadBytes != size - kPlanHeaderBytes)
    return damaged(name,
                   "header: has " + std::to_string(size - kPlanHeaderBytes) + " bytes of payload, expected " + std::to_string(header.payloadBytes));
  std::span<const uint8_t> payload(bytes.get() + kPlanHeaderBytes, header.payloadBytes);
  if (XXH64(payload.data(), payload.size(), 0) != header.checksum)
    return damaged(name, "payload: has another checksum than the header says, expected an unchanged file");

  if (!isWellFormed(payload))
    return damaged(name, "payload: is not a well-formed flatbuffer, expected one of plan.fbs");
  root = fbs::GetPlan(payload.data());
  ZP_RETURN_IF_ERROR(verifyPlan(*root, name));
  ZP_RETURN_IF_ERROR(verifySchedule(*root, name));
  if (dataflowOf(*root) != header.dataflow) // S8
    return damaged(name, "entries: compute something else than the header says, expected instructions in an order that keeps their meaning");
  return {};
}

std::span<const uint8_t> PlanFile::payload() const { return {bytes.get() + kPlanHeaderBytes, size - kPlanHeaderBytes}; }

uint64_t PlanFile::dataflow() const {
  Header header;
  std::memcpy(&header, bytes.get(), sizeof header);
  return header.dataflow;
}

std::vector<uint8_t> sealPlan(std::span<const uint8_t> payload) { return sealPlan(payload, statedBy(payload)); }

std::vector<uint8_t> sealPlan(std::span<const uint8_t> payload, uint64_t dataflow) {
  Header header = headerFor(payload, dataflow);
  std::vector<uint8_t> file(kPlanHeaderBytes + payload.size());
  std::memcpy(file.data(), &header, sizeof(header));
  std::copy(payload.begin(), payload.end(), file.begin() + kPlanHeaderBytes);
  return file;
}

Status writePlanFile(const std::string &path, std::span<const uint8_t> payload) {
  Header header = headerFor(payload, statedBy(payload));
  ZP_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(path));
  ZP_RETURN_IF_ERROR(file.write(0, &header, sizeof(header)));
  ZP_RETURN_IF_ERROR(file.write(kPlanHeaderBytes, payload.data(), payload.size()));
  return file.commit();
}

} // namespace zp::rt

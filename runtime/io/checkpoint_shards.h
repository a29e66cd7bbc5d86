// The optimizer's state in a training checkpoint: masters and moments by parameter name and range
// of its elements, so that any number of ranks, cut in any way, can read what others wrote.
//
// Each rank writes one safetensors file, optimizer-0000R-of-0000N.safetensors, of f32 tensors
// NAME/KIND/FIRST: elements from FIRST on of the parameter's master, moment1 or moment2. State that
// every rank holds whole is cut among them. Errors of reading: Checkpoint, Safetensors; of writing:
// DiskFull, DiskWrite.
#ifndef ZP_RUNTIME_IO_CHECKPOINT_SHARDS_H
#define ZP_RUNTIME_IO_CHECKPOINT_SHARDS_H

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/io/checkpoint_manifest.h"
#include "runtime/io/safetensors.h"
#include "runtime/schema/tensor_view.h"

namespace zp::fbs {
struct Plan;
struct Section;
} // namespace zp::fbs

namespace zp::rt {

enum class StateKind : uint8_t { Master, Moment1, Moment2 };
inline constexpr StateKind kStateKinds[] = {StateKind::Master, StateKind::Moment1, StateKind::Moment2};
const char *textOf(StateKind kind);
/// The section's tensor of this rank's state; 0xffffffff where there is none.
uint32_t stateTensor(const fbs::Section &section, StateKind kind);

/// Elements of one parameter's state that a rank holds.
struct StatePiece {
  std::string parameter;
  StateKind kind = StateKind::Master;
  uint64_t first = 0, count = 0; ///< elements of the parameter
  std::byte *data = nullptr;
  DType dtype = DType::F32;
};

/// Memory behind a tensor of the plan.
using StateViews = std::function<TensorView(uint32_t tensor)>;
/// What a rank holds; with `share`, what it writes: of state that every rank holds whole its part
/// only.
StatusOr<std::vector<StatePiece>> piecesOf(const fbs::Plan &plan, int rank, const StateViews &views, bool share);

std::string shardName(int rank, int ranks);

/// A rank's shard as its file has it: the header, then the pieces' elements as f32, one behind the other.
struct ShardLayout {
  std::string header;
  std::vector<StatePiece> pieces; ///< in the file's order
  uint64_t bytes = 0;             ///< of the file
};
ShardLayout layoutOf(std::vector<StatePiece> pieces);
StatusOr<ManifestFile> writeShard(const std::string &directory, const std::string &name, const ShardLayout &layout);

/// The shards of a checkpoint, open for reading.
class StateShards {
public:
  /// `names` are files of the directory. Names that aren't NAME/KIND/FIRST, and elements that two
  /// shards hold, are refused.
  static StatusOr<StateShards> open(const std::string &directory, const std::vector<std::string> &names);
  /// What memory holds as f32 instead of a file, as long as this object is read. Refuses as `open` does.
  Status add(const std::vector<StatePiece> &pieces);
  /// That every element of the parameters that the plan trains is there.
  Status covers(const fbs::Plan &plan) const;
  /// Fills `target` with `count` elements of a parameter's state from element `first` on.
  Status read(const std::string &parameter, StateKind kind, uint64_t first, uint64_t count, void *target, DType dtype) const;

private:
  struct Run {
    const std::byte *data = nullptr;
    uint64_t count = 0;
    std::shared_ptr<const SafetensorsFile> file; ///< that the data are of, and which tensor; null in memory
    const SafetensorsInfo *info = nullptr;
  };
  using Runs = std::map<uint64_t, Run>; // by first element
  /// False when another run has one of its elements too.
  bool hold(const std::string &parameter, StateKind kind, uint64_t first, Run run);
  /// Calls f(run, offset in it, elements, offset in the range) for what makes up [first,
  /// first+count).
  template <typename F> Status forEachRun(const std::string &parameter, StateKind kind, uint64_t first, uint64_t count, F &&f) const;

  std::string directory;
  std::map<std::string, std::map<StateKind, Runs>> runs;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_CHECKPOINT_SHARDS_H

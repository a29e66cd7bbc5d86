// Where training checkpoints lie in an output directory: checkpoint-N once whole, checkpoint-N.tmp
// while one is being written or removed. A final name only ever appears and disappears by a rename,
// so a run that is killed leaves no half of one under it. Errors: DiskFull, DiskWrite.
#ifndef ZP_RUNTIME_IO_CHECKPOINT_DIRECTORY_H
#define ZP_RUNTIME_IO_CHECKPOINT_DIRECTORY_H

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace zp::rt {

std::string checkpointPath(const std::string &output, uint64_t step);
std::string unfinishedPath(const std::string &output, uint64_t step);

/// Steps of the checkpoints under final names, ascending.
std::vector<uint64_t> checkpointsIn(const std::string &output);

/// Gives a checkpoint its name back that a run was killed while replacing: the old one is still the
/// good one. Any rank may, and more than one. Before anybody looks for checkpoints.
void restoreReplaced(const std::string &output);
/// Restores, and removes what runs that were killed left under temporary names. Only while nobody
/// writes one.
void removeUnfinished(const std::string &output);
/// Makes the temporary directory of a step; there may be one already, of another rank of this job.
Status makeUnfinished(const std::string &output, uint64_t step);
/// Swaps two names, atomically; -1 with errno where it can't, as on a file system without such a thing.
using ExchangeNames = int (*)(const char *one, const char *other);
int exchangeNames(const char *one, const char *other);
/// Gives the temporary directory its final name; whatever had that name goes. Its files have been
/// synced.
Status publishCheckpoint(const std::string &output, uint64_t step, ExchangeNames exchange = exchangeNames);
/// Removes checkpoints, the longest unchanged first, until `keep` remain; never that of `newest`, nor the directory `best`, which may be the
/// same, another's, or none. 0 keeps all.
void rotateCheckpoints(const std::string &output, uint64_t keep, uint64_t newest, const std::string &best);
/// Removes all checkpoints but the directory `best`; none when that isn't one of them.
void removeAllBut(const std::string &output, const std::string &best);

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_CHECKPOINT_DIRECTORY_H

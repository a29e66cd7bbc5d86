// The tensors of a merge, written a piece at a time.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_MERGE_MERGED_TENSORS_H
#define ZP_RUNTIME_TOOLS_ZPRUN_MERGE_MERGED_TENSORS_H

#include <string>

#include "runtime/tools/zprun/merge/merged_model.h"

namespace zp::rt {

/// Into files of at most maxShardBytes in `directory`. Errors: NonFinite for a number that its dtype can't hold; DiskFull, DiskWrite.
Status writeMergedTensors(MergedModel &model, const MergeOptions &options, const std::string &directory);

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_MERGE_MERGED_TENSORS_H

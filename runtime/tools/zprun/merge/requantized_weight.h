// A weight of the merged model that goes back into its base's 4 bits, as PEFT's merge of a model in 4 bits leaves it.
//
// Contract. The sum is quantised in fp32, without being rounded to the dtype that the base was quantised from: the state names
// float32 from then on. Type, size of blocks, kind of scales and storage stay the base's. Where scales are nested, the
// weight is computed twice: the text beside it holds their mean, and its length decides where everything lies in the file.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_MERGE_REQUANTIZED_WEIGHT_H
#define ZP_RUNTIME_TOOLS_ZPRUN_MERGE_REQUANTIZED_WEIGHT_H

#include <functional>

#include "runtime/tools/zprun/four_bit_tensors.h"
#include "runtime/tools/zprun/merge/merged_values.h"

namespace zp::rt {

class RequantizedWeight {
public:
  using OpenValues = std::function<StatusOr<MergedValues>()>;

  /// `base`: how the base keeps the weight, `shape`: of the merged one. `file` is for errors. NonFinite; QuantFormat where the
  /// storage can't label so many bytes.
  static StatusOr<RequantizedWeight> prepare(const std::string &name, const QuantState &base, SafetensorsDtype storage,
                                             const std::vector<uint64_t> &shape, const std::string &file, OpenValues open);

  std::vector<SafetensorsEntry> entries() const { return tensors.entries(); }
  /// One of the entries; in their order each piece of the weight is computed once.
  Status write(const std::string &entry, SafetensorsWriter &writer);

private:
  /// Fills `scales`; with a writer the codes go there, too.
  Status quantize(SafetensorsWriter *writer);

  FourBitTensors tensors;
  std::string file;
  OpenValues open;
  std::vector<float> scales; // held from the codes' entry to the last
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_MERGE_REQUANTIZED_WEIGHT_H

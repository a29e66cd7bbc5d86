// The tensors that bitsandbytes saves of a weight in 4 bits: the packed codes, and beside them what says how they are read.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_FOUR_BIT_TENSORS_H
#define ZP_RUNTIME_TOOLS_ZPRUN_FOUR_BIT_TENSORS_H

#include <span>
#include <string>
#include <vector>

#include "runtime/io/safetensors_writer.h"
#include "runtime/quant/quant_state_json.h"

namespace zp::rt {

struct FourBitTensors {
  std::string name; ///< of the weight
  QuantState state;
  SafetensorsDtype storage = SafetensorsDtype::U8; ///< how packed codes are labelled

  /// Whether the packed bytes make whole elements of `storage`.
  bool storageFits() const;
  /// In the reference's order, the codes first. The state's offset must be known: the length of its text is among them.
  std::vector<SafetensorsEntry> entries() const;
  /// The bytes of any entry but the codes. `scales` are the whole weight's.
  std::string beside(const std::string &entry, std::span<const float> scales) const;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_FOUR_BIT_TENSORS_H

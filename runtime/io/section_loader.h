// Fills a rank's slice of a section: what the plan's `init` entry asks for by load_section, load_quantized and nest_scales.
//
// Contract. Only elements that the rank owns are read; pages of the checkpoint are given back after use, so no rank ever
// holds the model. Values are converted to the section's dtype, gaps between parameters become zero. A tensor of an adapter
// takes the place of the parameter's initial value, or of the base's where the adapter holds a frozen one whole. One thread at a time calls a
// loader, which spreads the work over those of `parallel`: bytes don't depend on their number, nor on parts. The plan outlives it.
#ifndef ZP_RUNTIME_IO_SECTION_LOADER_H
#define ZP_RUNTIME_IO_SECTION_LOADER_H

#include <functional>
#include <memory>
#include <optional>

#include "runtime/base/parallel_for.h"
#include "runtime/io/initial_values.h"
#include "runtime/io/model_weights.h"
#include "runtime/schema/tensor_part.h"

namespace zp::fbs {
struct Plan;
struct Section;
struct Parameter;
} // namespace zp::fbs

namespace zp::rt {

struct SectionSources {
  std::optional<ModelWeights> base;    ///< absent: frozen parameters are drawn from `seed` (bench)
  std::optional<ModelWeights> adapter; ///< values by saved_as that override the initial ones
  uint64_t seed = 0;
  bool freshIsZero = false; ///< parameters that no checkpoint has become zero: the adapter is off
};

class SectionReader {
public:
  SectionReader(const fbs::Plan &plan, int rank, SectionSources sources);
  /// Parts come in rising order: generators are asked once.
  Status load(uint32_t section, const TensorPart &target, ParallelFor &parallel);
  /// Of a section of 4-bit codes (quantized_loader.h). `scales` has no data where the records are to be complete.
  Status loadQuantized(uint32_t section, const TensorPart &records, const TensorPart &scales, ParallelFor &parallel);
  Status nestScales(uint32_t section, const TensorView &scales, const TensorPart &records, ParallelFor &parallel);

private:
  struct Window; // elements of one parameter that the rank owns
  Status fill(const fbs::Section &section, const fbs::Parameter &parameter, const Window &window, ParallelFor &parallel);
  Status copy(ModelWeights &from, const std::string &tensor, const fbs::Parameter &parameter, const Window &window, ParallelFor &parallel);
  /// Fresh values pass through the type that they are computed with, as the reference's do under a base of 16 bits.
  Status draw(const fbs::Section &section, const fbs::Parameter &parameter, const Window &window, ParallelFor &parallel);

  const fbs::Plan &plan;
  int rank;
  SectionSources sources;
  InitialValues fresh;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_SECTION_LOADER_H

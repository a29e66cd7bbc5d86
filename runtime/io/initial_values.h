// Fresh values of parameters that no checkpoint holds, drawn as the reference's CPU generator draws them.
//
// One generator serves all parameters: MT19937 seeded by the low 32 bits of the seed. A parameter says how many 32-bit
// outputs lie before its first element, so any slice of any parameter can be drawn alone; asked for in rising order, the
// whole costs one pass. One thread at a time.
#ifndef ZP_RUNTIME_IO_INITIAL_VALUES_H
#define ZP_RUNTIME_IO_INITIAL_VALUES_H

#include <cstdint>
#include <optional>
#include <random>
#include <vector>

namespace zp::rt {

class InitialValues {
public:
  explicit InitialValues(uint64_t seed);

  /// Elements [first, first+count) of a tensor uniform in [-bound, bound), one output an element.
  void uniform(uint64_t generatorOffset, float bound, uint64_t first, uint64_t count, float *out);
  /// Elements [first, first+count) of a tensor of `total` normal values. From 16 elements on an output an element is used
  /// (16 more when `total` is not a multiple of 16), below that two 64-bit draws a pair.
  void normal(uint64_t generatorOffset, float deviation, uint64_t total, uint64_t first, uint64_t count, float *out);

private:
  void seek(uint64_t output);
  uint32_t next();
  float nextUniform() { return static_cast<float>(next() & 0xffffff) * 0x1p-24f; }
  void fillNormal(float deviation, std::vector<float> &out);

  /// The tensor of normal values that was drawn last: slices are asked for one after another.
  struct Drawn {
    uint64_t offset;
    float deviation;
    std::vector<float> values;
  };

  std::optional<Drawn> drawn;
  uint32_t seed;
  std::mt19937 generator; // the same recurrence and seeding as the reference's init_genrand
  uint64_t position = 0;  // outputs taken
};

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_INITIAL_VALUES_H

// The tables of 4-bit quantisation: values by code, and the bounds at which a value changes its code.
//
// Contract. `v` is an element over its block's scale, so |v| <= 1. Its rank is the number of bounds b with b < v (a tie
// goes down; a NaN has rank 15, for no comparison holds); the code follows from the rank. Bounds are the fp32 midpoints
// of neighbouring values: bitsandbytes' CPU rule. (Its CUDA rule is the same for NF4; for FP4 it differs in the zero
// bin.)
#ifndef ZP_RUNTIME_QUANT_NF4_TABLES_H
#define ZP_RUNTIME_QUANT_NF4_TABLES_H

#include <array>
#include <cstdint>

namespace zp::rt {

inline constexpr int kQuantCodes = 16;

struct QuantTable {
  std::array<float, kQuantCodes> values;       ///< by code; a checkpoint's `quant_map`
  std::array<uint8_t, kQuantCodes> codeOfRank; ///< codes in ascending order of value
  std::array<float, kQuantCodes - 1> bounds;   ///< ascending
};

constexpr QuantTable makeQuantTable(const std::array<float, kQuantCodes> &values, const std::array<uint8_t, kQuantCodes> &codeOfRank) {
  QuantTable table{values, codeOfRank, {}};
  for (int k = 0; k + 1 < kQuantCodes; ++k)
    table.bounds[k] = (values[codeOfRank[k]] + values[codeOfRank[k + 1]]) * 0.5f;
  return table;
}

/// NormalFloat: the quantiles of a normal distribution, with an exact zero. Codes ascend with the values.
inline constexpr QuantTable kNF4Table =
    makeQuantTable({-1.0f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f, -0.28444138169288635f, -0.18477343022823334f,
                    -0.09105003625154495f, 0.0f, 0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f,
                    0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1.0f},
                   {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});

/// Four-bit floats over 12: bit 3 is the sign. Code 8, the negative zero, stands for +0 as in a checkpoint's
/// `quant_map`. It ranks above code 0, so the lower half of the zero bin and ±0 itself have code 0, the upper half has
/// code 8.
inline constexpr QuantTable kFP4Table = makeQuantTable({0.0f, 0.0625f / 12, 8.0f / 12, 1.0f, 4.0f / 12, 6.0f / 12, 2.0f / 12, 3.0f / 12, //
                                                        0.0f, -0.0625f / 12, -8.0f / 12, -1.0f, -4.0f / 12, -6.0f / 12, -2.0f / 12, -3.0f / 12},
                                                       {11, 10, 13, 12, 15, 14, 9, 0, 8, 1, 6, 7, 4, 5, 2, 3});

} // namespace zp::rt

#endif // ZP_RUNTIME_QUANT_NF4_TABLES_H

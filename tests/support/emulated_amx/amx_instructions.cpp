#include "tests/support/emulated_amx/amx_instructions.h"

#include <bit>
#include <cstring>

#include "runtime/base/numeric.h"

namespace zp::rt::test {
namespace {

/// A three-byte VEX prefix (the short one can't name these opcodes) and what follows it.
struct Decoded {
  int prefix; ///< 0: none, 1: 66, 2: F3, 3: F2
  uint8_t opcode;
  int mod, reg, rm, source; ///< `source` is VEX.vvvv
  uint64_t base, stride;    ///< of a memory operand: base and displacement; index times scale
  bool hasStride;           ///< its address has an index or could have one (a SIB byte)
  int length;
};

bool decode(const uint8_t *code, const Registers &registers, Decoded &to) {
  if (code[0] != 0xC4 || (code[1] & 0x1F) != 2 /* 0F38 */ || (code[2] & 0x84) != 0 /* W0, 128 bits */)
    return false;
  const int extendReg = code[1] & 0x80 ? 0 : 8, extendIndex = code[1] & 0x40 ? 0 : 8, extendBase = code[1] & 0x20 ? 0 : 8;
  to.source = ~code[2] >> 3 & 15;
  to.prefix = code[2] & 3;
  to.opcode = code[3];
  to.mod = code[4] >> 6, to.reg = (code[4] >> 3 & 7) + extendReg, to.rm = code[4] & 7;
  int at = 5;
  to.base = to.stride = 0;
  to.hasStride = false;
  if (to.mod == 3) {
    to.rm += extendBase;
    to.length = at;
    return true;
  }
  int displacementBytes = to.mod == 1 ? 1 : to.mod == 2 ? 4 : 0;
  bool relative = false;
  if (to.rm == 4) {
    const uint8_t sib = code[at++];
    to.hasStride = true;
    const int index = (sib >> 3 & 7) + extendIndex, base = sib & 7;
    if (index != 4)
      to.stride = registers.general[index] << (sib >> 6);
    if (base == 5 && to.mod == 0)
      displacementBytes = 4;
    else
      to.base = registers.general[base + extendBase];
  } else if (to.rm == 5 && to.mod == 0) {
    displacementBytes = 4, relative = true;
  } else {
    to.base = registers.general[to.rm + extendBase];
  }
  if (displacementBytes == 1) {
    to.base += static_cast<uint64_t>(static_cast<int8_t>(code[at]));
  } else if (displacementBytes == 4) {
    int32_t displacement;
    std::memcpy(&displacement, code + at, 4);
    to.base += static_cast<uint64_t>(static_cast<int64_t>(displacement));
  }
  to.length = at + displacementBytes;
  if (relative)
    to.base += reinterpret_cast<uint64_t>(code) + static_cast<uint64_t>(to.length);
  return true;
}

const char *configure(const uint8_t *memory, TileState &tiles) {
  tiles = TileState();
  if (memory[0] == 0)
    return nullptr;
  if (memory[0] != 1 || memory[1] != 0)
    return "ldtilecfg: another palette than 1, or a row to start at";
  for (int i = 2; i < 16; ++i)
    if (memory[i] != 0)
      return "ldtilecfg: a reserved byte is not zero";
  for (int tile = 0; tile < 16; ++tile) {
    uint16_t rowBytes;
    std::memcpy(&rowBytes, memory + 16 + 2 * tile, 2);
    const uint8_t rows = memory[48 + tile];
    if (tile >= TileState::kTiles ? rowBytes || rows : rowBytes > TileState::kRowBytes || rows > TileState::kRows || !rowBytes != !rows)
      return "ldtilecfg: a tile that palette 1 doesn't have";
    if (tile < TileState::kTiles)
      tiles.rows[tile] = rows, tiles.rowBytes[tile] = rowBytes;
  }
  tiles.configured = true;
  return nullptr;
}

float withoutDenormal(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  return std::bit_cast<float>(bits & 0x7F800000 ? bits : bits & 0x80000000);
}

constexpr int kColumns = TileState::kRowBytes / 4;

/// sums[n] of a row and of a column's pair: elements of one parity. Vector code, for this is where the time goes; a CPU whose kernels come
/// here has AVX-512 (kernel_path.cpp).
[[gnu::target("avx2,fma")]] void addProducts(float row, const float *columns, float *sums) {
  for (int n = 0; n < kColumns; ++n)
    sums[n] = withoutDenormal(__builtin_fmaf(row, columns[n], sums[n]));
}

/// Of the pairs in a row of a tile, the elements of one parity.
void unpack(const uint8_t *row, int parity, float *to) {
  for (int n = 0; n < kColumns; ++n) {
    uint16_t bits;
    std::memcpy(&bits, row + 4 * n + 2 * parity, 2);
    to[n] = withoutDenormal(bf16ToFloat(bits));
  }
}

const char *multiply(TileState &tiles, int target, int a, int b) {
  if (target == a || target == b || a == b)
    return "tdpbf16ps: the same tile twice";
  const int depth = tiles.rowBytes[a] / 4;
  if (tiles.rows[target] != tiles.rows[a] || tiles.rows[b] != depth || tiles.rowBytes[target] != tiles.rowBytes[b] || tiles.rowBytes[a] % 4 ||
      tiles.rowBytes[b] % 4)
    return "tdpbf16ps: shapes that don't fit";
  float columns[TileState::kRows][2][kColumns];
  for (int k = 0; k < depth; ++k)
    for (int parity : {0, 1})
      unpack(tiles.data[b][k], parity, columns[k][parity]);
  for (int m = 0; m < tiles.rows[target]; ++m) {
    float row[2][kColumns], sums[2][kColumns] = {}; // of even and of odd elements, apart until the end
    for (int parity : {0, 1}) {
      unpack(tiles.data[a][m], parity, row[parity]);
      for (int k = 0; k < depth; ++k)
        addProducts(row[parity][k], columns[k][parity], sums[parity]);
    }
    for (int n = 0; n < tiles.rowBytes[target] / 4; ++n) {
      float sum;
      std::memcpy(&sum, tiles.data[target][m] + 4 * n, 4);
      sum = withoutDenormal(withoutDenormal(sum) + withoutDenormal(sums[0][n] + sums[1][n]));
      std::memcpy(tiles.data[target][m] + 4 * n, &sum, 4);
    }
  }
  return nullptr; // what lies beyond rows and bytes of the configuration is zero already: no load leaves anything there
}

} // namespace

Outcome emulateAmx(const uint8_t *code, const Registers &registers, TileState &tiles) {
  Decoded the;
  if (!decode(code, registers, the))
    return {Emulated::NotAmx, 0, nullptr};
  auto outcome = [&the](const char *refusal) { return Outcome{refusal ? Emulated::Illegal : Emulated::Done, the.length, refusal}; };
  constexpr int kNone = 0, k66 = 1, kF3 = 2, kF2 = 3;
  const bool memory = the.mod != 3;
  if (the.opcode == 0x49 && the.prefix == kNone && the.reg == 0 && memory) // ldtilecfg
    return outcome(configure(reinterpret_cast<const uint8_t *>(the.base + (the.hasStride ? the.stride : 0)), tiles));
  if (the.opcode == 0x49 && the.prefix == kNone && the.reg == 0 && the.rm == 0) { // tilerelease
    tiles = TileState();
    return outcome(nullptr);
  }
  const bool zero = the.opcode == 0x49 && the.prefix == kF2 && !memory && the.rm == 0;
  const bool load = the.opcode == 0x4B && (the.prefix == kF2 || the.prefix == k66) && memory; // for 66: a hint that data is used once
  const bool store = the.opcode == 0x4B && the.prefix == kF3 && memory;
  const bool product = the.opcode == 0x5C && the.prefix == kF3 && !memory;
  if (!zero && !load && !store && !product)
    return {Emulated::NotAmx, 0, nullptr};
  if (!tiles.configured)
    return outcome("a tile is used before ldtilecfg or after tilerelease");
  if (the.reg >= TileState::kTiles || (product && (the.rm >= TileState::kTiles || the.source >= TileState::kTiles)))
    return outcome("a tile beyond the eighth");
  if (product)
    return outcome(multiply(tiles, the.reg, the.rm, the.source));
  const int rows = tiles.rows[the.reg];
  const auto bytes = static_cast<size_t>(tiles.rowBytes[the.reg]);
  if (rows == 0)
    return outcome("a tile that the configuration leaves out");
  if (!zero && !the.hasStride)
    return outcome("a tile's address without a SIB byte");
  if (!store)
    std::memset(tiles.data[the.reg], 0, sizeof tiles.data[the.reg]);
  for (int row = 0; row < rows && !zero; ++row) {
    void *at = reinterpret_cast<void *>(the.base + static_cast<uint64_t>(row) * the.stride);
    if (load)
      std::memcpy(tiles.data[the.reg][row], at, bytes);
    else
      std::memcpy(at, tiles.data[the.reg][row], bytes);
  }
  return outcome(nullptr);
}

} // namespace zp::rt::test

#include "runtime/memory/stream_copy.h"

#include <cstring>
#include <vector>

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

TEST(StreamCopy, CopiesWhatItIsToldAndNothingElse) {
  constexpr size_t kMargin = 128, kMost = 600;
  std::vector<unsigned char> source(kMost + 2 * kMargin), target(source.size());
  for (size_t i = 0; i < source.size(); ++i)
    source[i] = static_cast<unsigned char>(1 + i * 37 % 251);
  for (size_t from : {0, 1, 15, 16, 63})
    for (size_t to = 0; to < 64; ++to)
      for (size_t bytes : {size_t{0}, size_t{1}, size_t{63}, size_t{64}, size_t{65}, size_t{127}, size_t{128}, size_t{200}, kMost}) {
        std::fill(target.begin(), target.end(), 0);
        streamCopy(target.data() + to, source.data() + from, bytes);
        std::vector<unsigned char> expected(target.size());
        std::memcpy(expected.data() + to, source.data() + from, bytes);
        ASSERT_TRUE(target == expected) << bytes << " bytes from " << from << " to " << to;
      }
}

} // namespace
} // namespace zp::rt

// ALiBi's slopes, which BLOOM and Falcon compute alike from the number of heads.
#ifndef ZP_FRONTENDS_HUGGINGFACE_ALIBISLOPES_H
#define ZP_FRONTENDS_HUGGINGFACE_ALIBISLOPES_H

#include <cstdint>
#include <vector>

namespace zp::fe {

/// Of the largest power of two p in `heads`: 2^(-8·i/p), i = 1 … p; further heads get the odd powers of twice as many. In f32, as
/// transformers computes them. Requires heads >= 1.
std::vector<float> alibiSlopes(int64_t heads);

} // namespace zp::fe

#endif // ZP_FRONTENDS_HUGGINGFACE_ALIBISLOPES_H

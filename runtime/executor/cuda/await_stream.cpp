#include "runtime/executor/cuda/await_stream.h"

#include <chrono>
#include <thread>

namespace zp::rt {

using namespace std::chrono_literals;

constexpr auto kWatchEvery = 100ms;
constexpr auto kPollEvery = 50us; // of a wait that is longer than kSpin
constexpr auto kSpin = 1ms;

Status awaitStream(cuda::Stream stream, DeviceCollectives &collectives) {
  if (!collectives.waitsForPeers())
    return cuda::synchronize(stream);
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  auto watched = begin;
  for (;;) {
    ZP_ASSIGN_OR_RETURN(bool done, cuda::isDone(stream));
    if (done)
      return {};
    const auto now = Clock::now();
    if (now - watched >= kWatchEvery) {
      ZP_RETURN_IF_ERROR(collectives.watch());
      watched = now;
    }
    if (now - begin > kSpin)
      std::this_thread::sleep_for(kPollEvery);
  }
}

} // namespace zp::rt

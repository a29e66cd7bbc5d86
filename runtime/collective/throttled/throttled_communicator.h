// Another engine, slowed down: every collective is carried out, and then takes as long as a link of a given speed would need for
// the bytes. The wait is sleep, as a network card's is to a processor: for measuring what a schedule hides.
#ifndef ZP_RUNTIME_COLLECTIVE_THROTTLED_THROTTLED_COMMUNICATOR_H
#define ZP_RUNTIME_COLLECTIVE_THROTTLED_THROTTLED_COMMUNICATOR_H

#include <memory>

#include "runtime/collective/communicator.h"

namespace zp::rt {

/// `engine` must outlive it. `bytesPerSecond`, positive, counts what a rank gets from the others (sums: what it gives away, too).
std::unique_ptr<Communicator> createThrottledCommunicator(Communicator &engine, double bytesPerSecond);

} // namespace zp::rt

#endif // ZP_RUNTIME_COLLECTIVE_THROTTLED_THROTTLED_COMMUNICATOR_H

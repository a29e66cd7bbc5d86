// A world of one rank.
#ifndef ZP_RUNTIME_COLLECTIVE_SINGLE_SINGLE_COMMUNICATOR_H
#define ZP_RUNTIME_COLLECTIVE_SINGLE_SINGLE_COMMUNICATOR_H

#include <memory>

#include "runtime/collective/communicator.h"

namespace zp::rt {

std::unique_ptr<Communicator> createSingleCommunicator();

} // namespace zp::rt

#endif // ZP_RUNTIME_COLLECTIVE_SINGLE_SINGLE_COMMUNICATOR_H

// SIGINT and SIGTERM ask for an end between two updates; a second one ends the process at once.
#ifndef ZP_RUNTIME_TRAINER_STOP_REQUEST_H
#define ZP_RUNTIME_TRAINER_STOP_REQUEST_H

namespace zp::rt {

void watchStopSignals();
/// The signal that asked, or 0.
int stopRequested();

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_STOP_REQUEST_H

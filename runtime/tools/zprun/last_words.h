// What a rank that has failed does first: it tells its peers, then the user, before anything of it is destroyed. That may take long (a
// checkpoint that is being written) or for ever (a device that is broken, or waits for a peer).
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_LAST_WORDS_H
#define ZP_RUNTIME_TOOLS_ZPRUN_LAST_WORDS_H

#include <mutex>

#include "runtime/collective/communicator.h"
#include "runtime/tools/zprun/first_error.h"

namespace zp::rt {

/// All may be called by any thread, more than once: what was said is not said again. Both arguments outlive it.
class LastWords {
public:
  LastWords(Communicator &communicator, FirstError &errors) : communicator(communicator), errors(errors) {}

  /// Tells the peers. The message is this rank's from here on.
  void tellPeers(const Status &status);
  /// Tells the peers, then the user.
  void say(const Status &status);
  /// That, and the process ends with the status's exit code, whatever its threads and its device are doing.
  [[noreturn]] void sayAndEnd(const Status &status);

private:
  void tell(const Status &status);
  void print(const Status &status);

  Communicator &communicator;
  FirstError &errors;
  std::mutex mutex;
  bool told = false, owed = false; ///< the peers; a message to the user
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_LAST_WORDS_H

#include "runtime/tools/zprun/lost_mapping.h"

#include <csignal>
#include <string>
#include <unistd.h>

#include "runtime/base/status.h"

namespace zp::rt {

static const std::string *line = nullptr; // a handler may make nothing

static void end(int) {
  (void)!::write(STDERR_FILENO, line->data(), line->size());
  ::_exit(exitCodeOf(ErrorCode::FileMissing));
}

void reportLostMappings() {
  static const std::string text =
      Status(ErrorCode::FileMissing, "zprun: a page of a file that is in use cannot be read, expected weights and data to stay as "
                                     "they are while a run reads them; look for a file that was cut short or replaced, a "
                                     "failing disk, or a full /dev/shm")
          .toString() +
      "\n";
  line = &text;
  struct sigaction action {};
  action.sa_handler = end;
  ::sigaction(SIGBUS, &action, nullptr);
}

} // namespace zp::rt

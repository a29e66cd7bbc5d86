// What becomes of a process that touches a page of a mapped file which is no longer there.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_LOST_MAPPING_H
#define ZP_RUNTIME_TOOLS_ZPRUN_LOST_MAPPING_H

namespace zp::rt {

/// From now on a SIGBUS ends the process with one line and FileMissing's exit code, instead of a crash. Once, before threads.
void reportLostMappings();

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_LOST_MAPPING_H

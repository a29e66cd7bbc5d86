// Files and folders under temporary names, and what killed processes left of them.
//
// Contract. A temporary name is a prefix and a number. Who makes one holds it (a lock that ends with the process, however
// it ends) until it has its final name or is gone; whatever nobody holds was left behind. The number alone wouldn't tell:
// processes' numbers are given anew, and other hosts have the same. Where a file system knows no locks nothing is taken
// for left behind.
#ifndef ZP_RUNTIME_BASE_LEFTOVERS_H
#define ZP_RUNTIME_BASE_LEFTOVERS_H

#include <string>

namespace zp {

struct Held {
  std::string path;
  int fd = -1; ///< holds until it is closed; below 0 where there is nothing, with errno
};

/// An empty file to write to, or an empty folder, that nobody else has.
Held makeHeldFile(const std::string &prefix);
Held makeHeldFolder(const std::string &prefix);

/// Removes what is under such names and held by nobody.
void removeLeftovers(const std::string &prefix);

} // namespace zp

#endif // ZP_RUNTIME_BASE_LEFTOVERS_H

#include "compiler/tools/zpc/FlagReader.h"

#include <algorithm>
#include <cctype>

#include "runtime/base/names.h"

namespace zp {

bool FlagReader::next() {
  if (at == words.size())
    return false;
  name = words[at++];
  attached.reset();
  if (!isFlag())
    return true;
  if (size_t equal = name.find('='); equal != std::string::npos) {
    attached = name.substr(equal + 1);
    name.resize(equal);
  }
  if (name.starts_with("--"))
    std::replace(name.begin() + 2, name.end(), '-', '_');
  return true;
}

StatusOr<std::string> FlagReader::value() {
  if (attached)
    return *attached;
  if (at == words.size())
    return usage(name + " needs a value");
  return words[at++];
}

std::vector<std::string> FlagReader::values() {
  std::vector<std::string> list;
  if (attached)
    list.push_back(*attached);
  while (at < words.size() && (!words[at].starts_with("-") || (words[at].size() > 1 && std::isdigit(static_cast<unsigned char>(words[at][1])))))
    list.push_back(words[at++]);
  return list;
}

Status FlagReader::unknown(const std::vector<std::string> &known) const {
  std::vector<std::string> near = nearestNames(name, known, 1);
  return Status(ErrorCode::UnknownKey, verb + ": " + name + " is not a flag" + (near.empty() ? "" : "; did you mean " + near[0] + "?") + "; " + verb +
                                           " --help tells the flags");
}

} // namespace zp

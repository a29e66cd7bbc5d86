// Lists of names that a table has to know, one file a table: words split by blanks, # to the end of the line.
#ifndef ZP_TESTS_UNIT_FRONTENDS_SFT_KNOWN_NAMES_H
#define ZP_TESTS_UNIT_FRONTENDS_SFT_KNOWN_NAMES_H

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace zp::fe::test {

inline std::vector<std::string> knownNames(const std::string &file) {
  std::ifstream in(std::string(ZP_TESTS) + "/unit/frontends/" + file);
  EXPECT_TRUE(in) << file;
  std::vector<std::string> names;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    for (std::string word; words >> word;)
      names.push_back(word);
  }
  EXPECT_FALSE(names.empty()) << file;
  return names;
}

} // namespace zp::fe::test

#endif // ZP_TESTS_UNIT_FRONTENDS_SFT_KNOWN_NAMES_H

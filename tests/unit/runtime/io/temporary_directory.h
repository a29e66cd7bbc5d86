// A directory that lives as long as the object, for tests that need files.
#ifndef ZP_TESTS_UNIT_RUNTIME_IO_TEMPORARY_DIRECTORY_H
#define ZP_TESTS_UNIT_RUNTIME_IO_TEMPORARY_DIRECTORY_H

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace zp::test {

class TemporaryDirectory {
public:
  TemporaryDirectory() {
    char name[] = "/tmp/zeroplan_test_XXXXXX";
    path = mkdtemp(name);
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path); }
  std::string file(const std::string &name) const { return path + "/" + name; }
  std::string write(const std::string &name, const std::string &content) const {
    std::ofstream(file(name), std::ios::binary) << content;
    return file(name);
  }
  std::string read(const std::string &name) const {
    std::ifstream in(file(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  size_t files() const {
    size_t n = 0;
    for ([[maybe_unused]] auto &entry : std::filesystem::directory_iterator(path))
      ++n;
    return n;
  }
  std::string path;
};

} // namespace zp::test

#endif // ZP_TESTS_UNIT_RUNTIME_IO_TEMPORARY_DIRECTORY_H

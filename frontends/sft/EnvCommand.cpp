#include "frontends/sft/EnvCommand.h"

#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <sstream>
#include <sys/utsname.h>
#include <thread>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "frontends/process/Tools.h"
#include "runtime/base/names.h"
#include "runtime/base/version.h"

namespace zp::fe {

using Json = nlohmann::ordered_json;

namespace {

/// The value of the first line `key<separator>value` of a file of the system.
std::string lineOf(const char *path, const std::string &key, char separator) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    size_t at = line.find(separator);
    if (at == std::string::npos || !line.starts_with(key))
      continue;
    std::string name = line.substr(0, line.find_last_not_of(" \t", at ? at - 1 : 0) + 1), value = line.substr(at + 1);
    if (name != key)
      continue;
    value.erase(0, value.find_first_not_of(" \t\""));
    return value.substr(0, value.find_last_not_of(" \t\"") + 1);
  }
  return "";
}

/// Those that a kernel path is chosen by, and what says that this is a virtual machine.
std::vector<std::string> cpuFeatures() {
  std::istringstream all(lineOf("/proc/cpuinfo", "flags", ':'));
  std::vector<std::string> found;
  for (std::string flag; all >> flag;)
    for (const char *wanted :
         {"avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512vl", "avx512_bf16", "avx512_vnni", "amx_tile", "amx_bf16", "hypervisor"})
      if (flag == wanted)
        found.push_back(flag);
  return found;
}

/// The first line that a program prints, or "not found".
std::string firstLine(const char *command) {
  FILE *pipe = ::popen(command, "r");
  if (!pipe)
    return "not found";
  char line[256] = "";
  char *read = std::fgets(line, sizeof line, pipe);
  int state = ::pclose(pipe);
  line[std::strcspn(line, "\n")] = 0;
  return read && state == 0 && *line ? line : "not found";
}

/// The driver's CUDA version, when there is a driver.
std::string cudaDriver() {
  void *library = ::dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (!library)
    return "not found";
  auto version = reinterpret_cast<int (*)(int *)>(::dlsym(library, "cuDriverGetVersion"));
  int number = 0;
  bool known = version && version(&number) == 0;
  ::dlclose(library);
  return known ? "driver for CUDA " + std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10) : "found, its version is not told";
}

std::string libraryFound(const char *name) {
  void *library = ::dlopen(name, RTLD_LAZY | RTLD_LOCAL);
  if (!library)
    return "not found";
  ::dlclose(library);
  return std::string(name) + " found";
}

Json collect() {
  Json report;
  const Tools tools = ownFolder();
  report["zp"] = version();
  report["build"] = std::string(ZP_BUILD_TYPE) + ", " + ZP_COMPILER;
  report["folder"] = tools.directory;
  std::string absent;
  for (const char *name : {"zpdata", "zpc", "zprun", "zpdump"})
    if (::access(tools.path(name).c_str(), X_OK) != 0)
      absent += (absent.empty() ? "" : ", ") + std::string(name);
  report["tools"] = absent.empty() ? "zpdata, zpc, zprun and zpdump are beside zp" : "not beside zp: " + absent;
  report["python"] = firstLine("python3 --version 2>/dev/null");

  utsname system{};
  ::uname(&system);
  std::string name = lineOf("/etc/os-release", "PRETTY_NAME", '=');
  report["system"] = name.empty() ? system.sysname : name;
  report["kernel"] = std::string(system.release) + " " + system.machine;
  report["libc"] = firstLine("getconf GNU_LIBC_VERSION 2>/dev/null");
  std::string model = lineOf("/proc/cpuinfo", "model name", ':');
  report["cpu"] = model.empty() ? "unknown" : model;
  report["cpu features"] = joinNames(cpuFeatures(), " ");
  report["cores"] = std::thread::hardware_concurrency();
  report["memory"] = lineOf("/proc/meminfo", "MemTotal", ':') + ", available " + lineOf("/proc/meminfo", "MemAvailable", ':');

  report["mpi"] = firstLine("mpirun --version 2>/dev/null");
  report["cuda"] = cudaDriver();
  report["nccl"] = libraryFound("libnccl.so.2");
  std::string variables;
  for (const char *variable : {"RANK", "WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_NTASKS", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES"})
    if (const char *value = ::getenv(variable))
      variables += (variables.empty() ? "" : " ") + std::string(variable) + "=" + value;
  report["variables"] = variables.empty() ? "none of a launcher's" : variables;
  return report;
}

} // namespace

int envMain(int argc, const char **argv) {
  bool json = argc == 2 && !std::strcmp(argv[1], "--json");
  bool help = argc == 2 && (!std::strcmp(argv[1], "--help") || !std::strcmp(argv[1], "-h"));
  if (help) {
    std::puts("usage: zp env [--json]\n\nWhat a bug report needs to say about the machine and the build.");
    return 0;
  }
  if (argc > 1 && !json) {
    Status error(ErrorCode::Usage, std::string("zp env: ") + argv[1] + ": is not a flag, expected none or --json; drop it");
    std::fprintf(stderr, "%s\n", error.toString().c_str());
    return exitCodeOf(error.code());
  }
  Json report = collect();
  if (json) {
    std::printf("%s\n", report.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
    return 0;
  }
  for (const auto &[key, value] : report.items())
    std::printf("%-13s %s\n", (key + ":").c_str(), (value.is_string() ? value.get<std::string>() : value.dump()).c_str());
  return 0;
}

} // namespace zp::fe

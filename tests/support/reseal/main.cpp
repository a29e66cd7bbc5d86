// zp-reseal PLAN: gives a plan file whose payload was changed the header that the payload asks for (size, checksum, dataflow), in place, so
// that what is tested is what looks at the payload.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <span>
#include <vector>

#include "runtime/plan/plan_file.h"

int main(int argc, char **argv) {
  std::ifstream in(argc == 2 ? argv[1] : "", std::ios::binary);
  std::vector<uint8_t> whole{std::istreambuf_iterator<char>(in), {}};
  if (whole.size() < zp::rt::kPlanHeaderBytes) {
    std::fprintf(stderr, "usage: zp-reseal PLAN, a plan file with its header\n");
    return 2;
  }
  std::vector<uint8_t> sealed = zp::rt::sealPlan(std::span<const uint8_t>(whole).subspan(zp::rt::kPlanHeaderBytes));
  std::ofstream out(argv[1], std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char *>(sealed.data()), static_cast<std::streamsize>(sealed.size()));
  return out.flush() ? 0 : 1;
}

#include "runtime/device/cuda/emulated/order.h"

#include <cstdlib>

namespace zp::rt::cuda::emulated {

Order::Order() {
  const char *wanted = std::getenv("ZP_EMULATED_ORDER");
  use(wanted ? wanted : "1");
}

void Order::use(const std::string &wanted) {
  choice = wanted == "lowest" ? Choice::Lowest : wanted == "highest" ? Choice::Highest : Choice::Drawn;
  random.seed(static_cast<std::mt19937::result_type>(std::strtoull(wanted.c_str(), nullptr, 10)));
}

size_t Order::pick(size_t count) { return choice == Choice::Lowest ? 0 : choice == Choice::Highest ? count - 1 : random() % count; }

Order &order() {
  static Order device;
  return device;
}

} // namespace zp::rt::cuda::emulated

#include <cstdio>
#include <cstdlib>

#include "tests/conformance/cuda_support.h"

namespace zp::rt::test {

void demand(const Status &status) {
  if (status.ok())
    return;
  std::fprintf(stderr, "%s\n", status.toString().c_str());
  std::exit(2);
}

const cuda::Context &deviceContext() {
  static std::unique_ptr<cuda::Products> products;
  static const cuda::Context context = [] {
    StatusOr<cuda::Properties> properties = cuda::selectDevice(0);
    demand(properties.status());
    std::printf("device: %s, %d multiprocessors\n", properties->name.c_str(), properties->multiprocessors);
    StatusOr<std::unique_ptr<cuda::Products>> made = cuda::createProducts();
    demand(made.status());
    products = std::move(made).value();
    StatusOr<cuda::Stream> stream = cuda::createStream();
    demand(stream.status());
    StatusOr<void *> scratch = cuda::allocateDevice(cuda::kScratchBytes);
    demand(scratch.status());
    return cuda::Context{*stream, products.get(), *scratch, properties->multiprocessors, 0};
  }();
  return context;
}

} // namespace zp::rt::test

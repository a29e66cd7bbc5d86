#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "runtime/kernels/cuda/quant_tables.h"
#include "tests/conformance/cuda_support.h"

namespace zp::rt::test {
namespace {

cuda::Context opened;
void *openedTables = nullptr;
std::unique_ptr<cuda::Products> openedProducts;
std::unique_ptr<cuda::FusedAttention> openedAttention;

/// The device is there while tests run; without one none does.
class OpenDevice : public ::testing::Environment {
  void SetUp() override {
    const Status status = open();
    if (!status.ok())
      FAIL() << status.toString();
  }
  void TearDown() override {
    if (openedAttention)
      std::printf("%s\n", openedAttention->notice().c_str());
    openedAttention.reset();
    openedProducts.reset();
    for (void *memory : {opened.scratch, openedTables})
      if (memory)
        cuda::freeDevice(memory);
    for (cuda::Event event : {opened.parting, opened.meeting})
      if (event)
        cuda::destroyEvent(event);
    for (cuda::Stream stream : {opened.aside, opened.stream})
      if (stream)
        cuda::destroyStream(stream);
    opened = {};
  }

  static Status open() {
    ZP_ASSIGN_OR_RETURN(cuda::Properties properties, cuda::selectDevice(0));
    std::printf("device: %s, %d multiprocessors\n", properties.name.c_str(), properties.multiprocessors);
    opened.multiprocessors = properties.multiprocessors;
    ZP_ASSIGN_OR_RETURN(openedProducts, cuda::createProducts());
    opened.products = openedProducts.get();
    if (const char *chosen = std::getenv("ZP_DEVICE_ATTENTION"); chosen && std::string(chosen) == "fused")
      openedAttention = std::make_unique<cuda::FusedAttention>(properties);
    opened.fusedAttention = openedAttention.get();
    ZP_ASSIGN_OR_RETURN(opened.stream, cuda::createStream());
    ZP_ASSIGN_OR_RETURN(opened.aside, cuda::createStream(cuda::Priority::Spare));
    ZP_ASSIGN_OR_RETURN(opened.parting, cuda::createEvent());
    ZP_ASSIGN_OR_RETURN(opened.meeting, cuda::createEvent());
    ZP_ASSIGN_OR_RETURN(opened.scratch, cuda::allocateDevice(cuda::kScratchBytes));
    ZP_ASSIGN_OR_RETURN(openedTables, cuda::allocateDevice(sizeof(cuda::QuantTables)));
    ZP_RETURN_IF_ERROR(cuda::placeQuantTables(opened, openedTables));
    return {};
  }
};
const auto *const kOpenDevice = ::testing::AddGlobalTestEnvironment(new OpenDevice);

} // namespace

void demand(const Status &status) {
  if (!status.ok())
    throw std::runtime_error(status.toString());
}

const cuda::Context &deviceContext() { return opened; }

} // namespace zp::rt::test

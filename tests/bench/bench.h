// The parts of kernels_bench.
#ifndef ZP_TESTS_BENCH_BENCH_H
#define ZP_TESTS_BENCH_BENCH_H

namespace zp::rt::test {

void registerNF4Benchmarks();

} // namespace zp::rt::test

#endif // ZP_TESTS_BENCH_BENCH_H

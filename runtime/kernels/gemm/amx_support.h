// Whether this process may use AMX. A file of its own so that a test can put an emulation in its place (tests/support/emulated_amx).
#ifndef ZP_RUNTIME_KERNELS_GEMM_AMX_SUPPORT_H
#define ZP_RUNTIME_KERNELS_GEMM_AMX_SUPPORT_H

namespace zp::rt {

/// The CPU has tiles and their bf16 products, the system keeps their state, and gives leave to use them, for which this asks: once for the
/// whole process, threads included.
bool mayUseAmx();

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_GEMM_AMX_SUPPORT_H

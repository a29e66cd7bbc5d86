// Numbers as Python prints them.
#ifndef ZP_RUNTIME_QUANT_PYTHON_REPR_H
#define ZP_RUNTIME_QUANT_PYTHON_REPR_H

#include <string>

namespace zp::rt {

/// repr(value) of a finite number: the shortest digits that read back as `value`; with an exponent below 1e-4 and from
/// 1e16.
std::string pythonRepr(double value);

} // namespace zp::rt

#endif // ZP_RUNTIME_QUANT_PYTHON_REPR_H

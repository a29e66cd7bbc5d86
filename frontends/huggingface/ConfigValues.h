// What the families' readers of config.json have in common. An error is kept by the reader, the
// first of several.
#ifndef ZP_FRONTENDS_HUGGINGFACE_CONFIGVALUES_H
#define ZP_FRONTENDS_HUGGINGFACE_CONFIGVALUES_H

#include <initializer_list>
#include <optional>
#include <string>

#include "frontends/common/JsonDocument.h"
#include "frontends/common/ModelSpec.h"

namespace zp::fe {

/// A positive size below 2^30, under the first of its names that the file has.
int64_t readSize(JsonReader &reader, std::initializer_list<const char *> names, int64_t absent);

/// A size of at most kMaxLayers.
int64_t readLayers(JsonReader &reader, std::initializer_list<const char *> names, int64_t absent);

/// A positive number: what a norm adds to the variance.
double readEpsilon(JsonReader &reader, const char *name, double absent);

/// silu, relu, gelu or its approximation by tanh, by any of the names that transformers has for it.
std::optional<Activation> activationNamed(const std::string &name);

/// An activation of an MLP without a gate: relu or one of the two gelus; UnknownArchitecture for another.
Activation readActivation(JsonReader &reader, const char *name, const char *absent);

/// A dropout of 0 up to 1, 1 excluded.
double readDropout(JsonReader &reader, const char *name, double absent);

/// hidden / heads, which must be whole, for a config that has no width of a head of its own.
int64_t divideHeads(JsonReader &reader, const char *hiddenName, int64_t hidden, int64_t heads);

/// The pad_token_id of classes whose embedding takes it for PyTorch's padding_idx (`absent`, where the file has no such key): its row gets no
/// gradient. Below 0 it counts from the end; -1 for null, and for a token that no row is of.
int64_t readPaddingToken(JsonReader &reader, int64_t vocabulary, int64_t absent);

/// UnknownArchitecture when the number isn't `expected`: it would change the mathematics.
void refuseOtherNumber(JsonReader &reader, const char *name, double expected, const char *fix);

} // namespace zp::fe

#endif // ZP_FRONTENDS_HUGGINGFACE_CONFIGVALUES_H

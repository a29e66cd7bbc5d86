#include "frontends/huggingface/ConfigValues.h"

#include <cmath>
#include <map>

#include "runtime/schema/model_limits.h"

namespace zp::fe {

static const char *nameInFile(const JsonReader &reader, std::initializer_list<const char *> names) {
  for (const char *name : names)
    if (reader.has(name))
      return name;
  return *names.begin();
}

int64_t readSize(JsonReader &reader, std::initializer_list<const char *> names, int64_t absent) {
  const char *name = nameInFile(reader, names);
  int64_t value = reader.integer(name, absent);
  for (const char *other : names)
    if (reader.has(other) && reader.integer(other, value) != value)
      reader.fail(ErrorCode::Json, other,
                  "is " + std::to_string(reader.integer(other, value)) + " and " + name + " " + std::to_string(value) +
                      ", expected one size under both names; correct one of them");
  // Far above any model, far below where products of two sizes overflow.
  if (value <= 0 || value > (int64_t(1) << 30))
    reader.fail(ErrorCode::Json, name, "is " + std::to_string(value) + ", expected a positive size below 2^30; correct the value");
  return value;
}

int64_t readLayers(JsonReader &reader, std::initializer_list<const char *> names, int64_t absent) {
  int64_t layers = readSize(reader, names, absent);
  if (layers <= kMaxLayers)
    return layers;
  reader.fail(ErrorCode::Json, nameInFile(reader, names),
              "is " + std::to_string(layers) + ", expected at most " + std::to_string(kMaxLayers) + "; correct the value");
  return 1; // so that nothing large is made before the error is seen
}

double readEpsilon(JsonReader &reader, const char *name, double absent) {
  double value = reader.number(name, absent);
  if (!(value > 0) || !std::isfinite(value))
    reader.fail(ErrorCode::UnknownArchitecture, name, "is " + std::to_string(value) + ", expected a positive number; correct it");
  return value;
}

int64_t divideHeads(JsonReader &reader, const char *hiddenName, int64_t hidden, int64_t heads) {
  if (heads > 0 && hidden % heads == 0)
    return hidden / heads;
  reader.fail(ErrorCode::Json, hiddenName,
              "is " + std::to_string(hidden) + " with " + std::to_string(heads) + " heads, expected a multiple of the heads; correct one of them");
  return 1;
}

std::optional<Activation> activationNamed(const std::string &name) {
  static const std::map<std::string, Activation> kNames = {{"silu", Activation::Silu},
                                                           {"swish", Activation::Silu},
                                                           {"relu", Activation::Relu},
                                                           {"gelu", Activation::Gelu},
                                                           {"gelu_python", Activation::Gelu},
                                                           {"gelu_new", Activation::GeluTanh},
                                                           {"gelu_fast", Activation::GeluTanh},
                                                           {"gelu_accurate", Activation::GeluTanh},
                                                           {"gelu_pytorch_tanh", Activation::GeluTanh},
                                                           {"gelu_python_tanh", Activation::GeluTanh}};
  auto found = kNames.find(name);
  return found == kNames.end() ? std::nullopt : std::optional(found->second);
}

Activation readActivation(JsonReader &reader, const char *name, const char *absent) {
  std::string text = reader.text(name, absent);
  if (std::optional<Activation> found = activationNamed(text); found && *found != Activation::Silu)
    return *found;
  reader.fail(ErrorCode::UnknownArchitecture, name,
              "is \"" + text + "\", expected relu, gelu or gelu_new; choose a model with one of these activations");
  return Activation::Gelu;
}

double readDropout(JsonReader &reader, const char *name, double absent) {
  double value = reader.number(name, absent);
  if (!(value >= 0 && value < 1))
    reader.fail(ErrorCode::Json, name, "is " + std::to_string(value) + ", expected a probability from 0 up to 1, 1 excluded; correct it");
  return value;
}

int64_t readPaddingToken(JsonReader &reader, int64_t vocabulary, int64_t absent) {
  if (!reader.has("pad_token_id"))
    return reader.contains("pad_token_id") ? -1 : absent;
  int64_t token = reader.integer("pad_token_id", 0);
  if (token < 0)
    token += vocabulary;
  return token >= 0 && token < vocabulary ? token : -1;
}

void refuseOtherNumber(JsonReader &reader, const char *name, double expected, const char *fix) {
  if (double value = reader.number(name, expected); value != expected)
    reader.fail(ErrorCode::UnknownArchitecture, name, "is " + std::to_string(value) + ", expected " + (expected == 0 ? "0" : "1") + "; " + fix);
}

} // namespace zp::fe

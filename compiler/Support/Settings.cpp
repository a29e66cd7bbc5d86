#include "compiler/Support/Settings.h"

#include "dialects/NN/IR/NNDialect.h"

using namespace mlir;

namespace zp {

static bool assign(Attribute attr, int64_t &out) {
  auto value = dyn_cast<IntegerAttr>(attr);
  if (value && value.getType().isInteger(64))
    out = value.getInt();
  return value && value.getType().isInteger(64);
}
static bool assign(Attribute attr, double &out) {
  auto value = dyn_cast<FloatAttr>(attr);
  if (value)
    out = value.getValueAsDouble();
  return static_cast<bool>(value);
}
static bool assign(Attribute attr, bool &out) {
  auto value = dyn_cast<BoolAttr>(attr);
  if (value)
    out = value.getValue();
  return static_cast<bool>(value);
}
static bool assign(Attribute attr, std::string &out) {
  auto value = dyn_cast<StringAttr>(attr);
  if (value)
    out = value.getValue().str();
  return static_cast<bool>(value);
}

/// What `assign` takes, as a person writes it.
static const char *kindOf(int64_t) { return "an integer, as 8"; }
static const char *kindOf(double) { return "a float, as 1.0e-4"; }
static const char *kindOf(bool) { return "true or false"; }
static const char *kindOf(const std::string &) { return "a word in quotes, as \"none\""; }

FailureOr<JobSettings> readSettings(ModuleOp module) {
  JobSettings settings;
  auto dictionary = module->getAttrOfType<DictionaryAttr>(nn::NNDialect::kSettingsAttr);
  if (!dictionary)
    return settings;
  size_t known = 0;
  bool good = true;
  settings.forEach([&](const char *name, auto &value, const char *) {
    Attribute attr = dictionary.get(name);
    if (!attr)
      return;
    ++known;
    if (!assign(attr, value)) {
      module.emitError("zp.settings: ") << name << " is " << attr << ", expected " << kindOf(value) << "; write it so, or import again";
      good = false;
    }
  });
  if (known != dictionary.size())
    for (NamedAttribute entry : dictionary) {
      bool found = false;
      settings.forEach([&](const char *name, auto &, const char *) { found |= entry.getName() == name; });
      if (!found) {
        module.emitError("zp.settings: ") << entry.getName() << " is not a setting, expected those of zpc import --help; drop it, or import again";
        good = false;
      }
    }
  if (!good)
    return failure();
  return settings;
}

static Attribute attributeOf(Builder &builder, int64_t value) { return builder.getI64IntegerAttr(value); }
static Attribute attributeOf(Builder &builder, double value) { return builder.getF64FloatAttr(value); }
static Attribute attributeOf(Builder &builder, bool value) { return builder.getBoolAttr(value); }
static Attribute attributeOf(Builder &builder, const std::string &value) { return builder.getStringAttr(value); }

void writeSettings(ModuleOp module, const JobSettings &settings) {
  Builder builder(module.getContext());
  SmallVector<NamedAttribute> entries;
  settings.forEach(
      [&](const char *name, const auto &value, const char *) { entries.push_back(builder.getNamedAttr(name, attributeOf(builder, value))); });
  module->setAttr(nn::NNDialect::kSettingsAttr, builder.getDictionaryAttr(entries));
}

Type computeType(const JobSettings &settings, MLIRContext *context) {
  switch (computeDType(settings)) {
  case DType::BF16:
    return BFloat16Type::get(context);
  case DType::F16:
    return Float16Type::get(context);
  default:
    return Float32Type::get(context);
  }
}

} // namespace zp

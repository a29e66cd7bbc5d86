#include "frontends/huggingface/RopeFrequencies.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace zp::fe {

namespace {

using Frequencies = std::vector<float>;

/// theta^(2i/d), the power rounded to fp32.
Frequencies wavePowers(double theta, int64_t headDim) {
  Frequencies powers(size_t(headDim / 2));
  for (size_t i = 0; i < powers.size(); ++i)
    powers[i] = float(std::pow(double(float(theta)), double(float(2 * i) / float(headDim))));
  return powers;
}

class RopeReader {
public:
  RopeReader(const JsonDocument &config, int64_t headDim, int64_t maxPositions) : reader(config), headDim(headDim), maxPositions(maxPositions) {
    // Where both stand, transformers 5 takes the older key for what somebody added.
    const auto *added = config.find("rope_scaling");
    const bool isAdded = added && added->is_object() && !added->empty();
    group = isAdded || !reader.has("rope_parameters") ? "rope_scaling" : "rope_parameters";
  }

  StatusOr<RopeSpec> read() {
    if (reader.has(group) && !reader.source().find(group)->is_object())
      reader.fail(ErrorCode::Json, group, "is " + reader.valueText(group) + ", expected an object or null; correct the value");
    refuseNested();
    double theta = reader.number({group, "rope_theta"}, reader.number("rope_theta", 10000.0));
    if (!(theta > 0) || !std::isfinite(theta))
      reader.fail(ErrorCode::Json, reader.has({group, "rope_theta"}) ? KeyPath{group, "rope_theta"} : KeyPath("rope_theta"),
                  "is " + std::to_string(theta) + ", expected a positive number; correct the value");
    if (double part = reader.number({group, "partial_rotary_factor"}, 1); part != 1)
      reader.fail(ErrorCode::UnknownArchitecture, {group, "partial_rotary_factor"},
                  "is " + std::to_string(part) + ", expected 1; choose a model that rotates whole heads");
    std::string type = reader.text({group, "rope_type"}, reader.text({group, "type"}, "default"));
    ZP_RETURN_IF_ERROR(reader.status());

    RopeSpec rope;
    Frequencies powers = wavePowers(theta, headDim);
    for (float power : powers)
      rope.inverseFrequencies.push_back(1.0f / power);
    if (type == "linear")
      scaleLinear(rope);
    else if (type == "llama3")
      scaleLlama3(rope);
    else if (type == "yarn")
      scaleYarn(rope, powers, theta);
    else if (type != "default" && type != "dynamic")
      reader.fail(ErrorCode::UnknownArchitecture, {group, reader.has({group, "rope_type"}) ? "rope_type" : "type"},
                  "is \"" + type +
                      "\", expected default, linear, llama3, yarn or dynamic; choose a model with "
                      "one of them");
    ZP_RETURN_IF_ERROR(reader.status());
    return rope;
  }

private:
  void refuseNested() {
    const auto *node = reader.source().find(group);
    if (!node || !node->is_object())
      return;
    for (const auto &[key, value] : node->items())
      if (value.is_object())
        reader.fail(ErrorCode::UnknownArchitecture, {group, key}, "is an object, expected one set of values for all layers; choose another model");
  }

  double positive(const char *key, double absent = 0) {
    KeyPath path{group, key};
    double value = reader.number(path, absent);
    if (!(value > 0) || !std::isfinite(value))
      reader.fail(ErrorCode::Json, path,
                  reader.has(path) ? "is " + std::to_string(value) + ", expected a positive number; correct the value"
                                   : "is missing, expected a positive number for this rope_type; add it");
    return value;
  }

  double originalPositions() {
    // A top-level key wins over the one in the group.
    if (reader.has("original_max_position_embeddings"))
      return reader.number("original_max_position_embeddings", 0);
    return positive("original_max_position_embeddings", double(maxPositions));
  }

  void scaleLinear(RopeSpec &rope) {
    float factor = float(positive("factor"));
    for (float &f : rope.inverseFrequencies)
      f /= factor;
  }

  void scaleLlama3(RopeSpec &rope) {
    float factor = float(positive("factor"));
    double lowFactor = positive("low_freq_factor"), highFactor = positive("high_freq_factor"), original = originalPositions();
    float longest = float(original / lowFactor), shortest = float(original / highFactor);
    for (float &f : rope.inverseFrequencies) {
      float wave = 1.0f / f * float(2 * std::numbers::pi); // a reciprocal and a product, as the reference rounds
      if (wave > longest) {
        f /= factor;
      } else if (!(wave < shortest)) {
        float smooth = (1.0f / wave * float(original) - float(lowFactor)) / float(highFactor - lowFactor);
        f = (1.0f - smooth) * f / factor + smooth * f;
      }
    }
  }

  void scaleYarn(RopeSpec &rope, const Frequencies &powers, double theta) {
    double original = originalPositions();
    double factor = reader.has({group, "factor"}) ? positive("factor") : double(maxPositions) / original;
    auto magnitude = [](double scale, double k) { return scale <= 1 ? 1.0 : 0.1 * k * std::log(scale) + 1.0; };
    double m = reader.number({group, "mscale"}, 0), all = reader.number({group, "mscale_all_dim"}, 0);
    double inferred = m != 0 && all != 0 ? magnitude(factor, m) / magnitude(factor, all) : magnitude(factor, 1);
    rope.scaling = reader.has({group, "attention_factor"}) ? positive("attention_factor") : inferred;

    auto correction = [&](double rotations) {
      return double(headDim) * std::log(original / (rotations * 2 * std::numbers::pi)) / (2 * std::log(theta));
    };
    double low = correction(positive("beta_fast", 32)), high = correction(positive("beta_slow", 1));
    if (reader.boolean({group, "truncate"}, true)) {
      low = std::floor(low);
      high = std::ceil(high);
    }
    low = std::max(low, 0.0);
    high = std::min(high, double(headDim - 1));
    if (low == high)
      high += 0.001;
    for (size_t i = 0; i < powers.size(); ++i) {
      float keep = 1.0f - std::clamp((float(i) - float(low)) / float(high - low), 0.0f, 1.0f);
      rope.inverseFrequencies[i] = 1.0f / (float(factor) * powers[i]) * (1.0f - keep) + 1.0f / powers[i] * keep;
    }
  }

  JsonReader reader;
  std::string group;
  int64_t headDim, maxPositions;
};

} // namespace

StatusOr<RopeSpec> importRope(const JsonDocument &config, int64_t headDim, int64_t maxPositions) {
  return RopeReader(config, headDim, maxPositions).read();
}

} // namespace zp::fe

// A plan of two trained sections and a frozen one, and state for it whose every element says where
// it belongs.
#ifndef ZP_TESTS_UNIT_RUNTIME_IO_STATE_PLAN_H
#define ZP_TESTS_UNIT_RUNTIME_IO_STATE_PLAN_H

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "runtime/io/checkpoint_shards.h"
#include "runtime/schema/plan_generated.h"

namespace zp::test {

using rt::kStateKinds;
using rt::StateKind;
using rt::TensorView;

inline constexpr const char *kAdapterConfig = R"({"peft_type":"LORA","r":8,"base_model_name_or_path":null})";

/// One rank's memory under a plan for `ranks`; `sharded`: masters and moments of the sections are
/// cut among them.
class StatePlan {
public:
  /// Parameters a [2, 3], b [5], c [100], d [1] in the first section, with gaps, and e [64] in the
  /// second.
  StatePlan(uint32_t ranks, bool sharded, const char *adapterConfig = kAdapterConfig) {
    flatbuffers::FlatBufferBuilder b;
    std::vector<flatbuffers::Offset<fbs::Tensor>> tensors;
    auto tensor = [&](int64_t elements) {
      std::vector<int64_t> dims = {sharded ? elements / ranks : elements};
      tensors.push_back(fbs::CreateTensorDirect(b, 0, 0, static_cast<uint8_t>(DType::F32), &dims));
      memory.emplace_back(static_cast<size_t>(dims[0]), -1.0f);
      return static_cast<uint32_t>(tensors.size() - 1);
    };
    auto parameter = [&](const char *name, std::vector<int64_t> shape, uint64_t offset) {
      return fbs::CreateParameterDirect(b, name, "", (std::string("saved.") + name).c_str(), &shape, offset);
    };
    std::vector<flatbuffers::Offset<fbs::Parameter>> first = {parameter("a", {2, 3}, 0), parameter("b.weight", {5}, 8), parameter("c", {100}, 60),
                                                              parameter("d", {1}, 255)};
    std::vector<flatbuffers::Offset<fbs::Parameter>> second = {parameter("e", {64}, 0)};
    std::vector<int64_t> shape = {7};
    std::vector<flatbuffers::Offset<fbs::Parameter>> frozen = {fbs::CreateParameterDirect(b, "w", "w", "", &shape, 0)};
    auto section = [&](const char *name, uint64_t elements, const auto &parameters) {
      uint32_t values = tensor(static_cast<int64_t>(elements)), moment1 = tensor(static_cast<int64_t>(elements)),
               moment2 = tensor(static_cast<int64_t>(elements));
      return fbs::CreateSectionDirect(b, name, 0, fbs::SectionKind::Trainable, 0, elements, sharded, sharded, sharded, 0, &parameters, values, values,
                                      moment1, moment2);
    };
    std::vector<flatbuffers::Offset<fbs::Section>> sections = {
        section("first", 256, first), fbs::CreateSectionDirect(b, "frozen", 0, fbs::SectionKind::Frozen, 0, 64, false, false, false, 0, &frozen, 0),
        section("second", 64, second)};
    b.Finish(fbs::CreatePlanDirect(b, ranks, "cpu", nullptr, adapterConfig, R"({"hidden_size": 3})", 8, 0, nullptr, nullptr, &tensors, &sections));
    bytes.assign(b.GetBufferPointer(), b.GetBufferPointer() + b.GetSize());
  }

  const fbs::Plan &plan() const { return *flatbuffers::GetRoot<fbs::Plan>(bytes.data()); }
  TensorView view(uint32_t index) {
    TensorView view;
    view.data = memory[index].data();
    view.rank = 1;
    view.dims[0] = static_cast<int64_t>(memory[index].size());
    return view;
  }
  rt::StateViews views() {
    return [this](uint32_t index) { return view(index); };
  }

  /// What element `i` of a parameter's state is: told from every other.
  static float valueOf(const std::string &parameter, StateKind kind, uint64_t i) {
    return static_cast<float>(parameter[0] * 10000 + static_cast<int>(kind) * 1000 + static_cast<int>(i)) + 0.25f;
  }
  /// Calls f(parameter, kind, element, place in this rank's memory) for every element that rank
  /// `rank` holds.
  template <typename F> void forEach(int rank, F &&f) {
    for (const fbs::Section *section : *plan().sections()) {
      if (section->kind() != fbs::SectionKind::Trainable)
        continue;
      for (StateKind kind : kStateKinds) {
        std::vector<float> &held = memory[rt::stateTensor(*section, kind)];
        const uint64_t begin = held.size() == section->elements() ? 0 : static_cast<uint64_t>(rank) * held.size();
        for (const fbs::Parameter *parameter : *section->parameters()) {
          uint64_t elements = 1;
          for (int64_t dim : *parameter->shape())
            elements *= static_cast<uint64_t>(dim);
          for (uint64_t i = 0; i < elements; ++i)
            if (uint64_t at = parameter->offset() + i; at >= begin && at < begin + held.size())
              f(parameter->name()->str(), kind, i, held[at - begin]);
        }
      }
    }
  }
  void fill(int rank) {
    forEach(rank, [](const std::string &name, StateKind kind, uint64_t i, float &place) { place = valueOf(name, kind, i); });
  }
  void clear() {
    for (auto &tensor : memory)
      tensor.assign(tensor.size(), -1.0f);
  }

  std::vector<std::vector<float>> memory; // by tensor

private:
  std::vector<uint8_t> bytes;
};

} // namespace zp::test

#endif // ZP_TESTS_UNIT_RUNTIME_IO_STATE_PLAN_H

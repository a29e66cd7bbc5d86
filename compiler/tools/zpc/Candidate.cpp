#include "compiler/tools/zpc/Candidate.h"

#include <nlohmann/json.hpp>

#include "compiler/tools/zpc/AutoRematerialize.h"
#include "compiler/tools/zpc/Machine.h"
#include "frontends/common/SettingsVerifier.h"
#include "runtime/plan/report/text_table.h"
#include "runtime/plan/simulate/simulator.h"

namespace zp {

Candidate evaluate(mlir::ModuleOp imported, const JobSettings &settings, const rt::Cluster &cluster, FusedModules *fused) {
  if (settings.rematerialize == "auto")
    return evaluate(imported, resolveRematerialize(imported, settings, cluster), cluster);
  Candidate candidate;
  candidate.settings = settings;
  Status sound = fe::verifySettings(settings);
  if (sound.ok())
    sound = checkRanks(cluster, static_cast<uint32_t>(settings.num_processes), "--num_processes");
  if (!sound.ok()) {
    candidate.problem = sound.message();
    return candidate;
  }
  StatusOr<rt::PlanFile> file = compileWith(imported, settings, fused);
  if (!file.ok()) {
    candidate.problem = file.status().message();
    return candidate;
  }
  const rt::PlanIndex index(file->plan());
  const rt::Simulation simulation = rt::simulate(cluster, index);
  rt::Cluster instant = cluster;
  instant.link_latency = instant.network_latency = 0;
  candidate.simulated = true;
  candidate.footprint = rt::footprintOf(file->plan(), cluster);
  candidate.excess = rt::excessOf(candidate.footprint, cluster);
  candidate.stepSeconds = simulation.stepSeconds;
  candidate.tokensPerSecond = simulation.tokensPerSecond();
  candidate.exposedSeconds = simulation.exposedSeconds();
  candidate.withoutLatency = rt::simulate(instant, index).stepSeconds;
  candidate.bottleneck = nameOf(simulation.bottleneck());
  for (const fbs::Section *section : *file->plan().sections())
    if (section->kind() == fbs::SectionKind::Trainable && !section->parameters_sharded()) {
      ++candidate.wholeSections;
      candidate.wholeElements += static_cast<int64_t>(section->elements());
    }
  return candidate;
}

std::string flagsOf(const JobSettings &settings, const JobSettings &from) {
  std::string text;
  auto add = [&](const char *name, const std::string &now, const std::string &before) {
    if (now != before)
      text += (text.empty() ? "--" : " --") + std::string(name) + " " + now;
  };
  add("zero_stage", std::to_string(settings.zero_stage), std::to_string(from.zero_stage));
  add("rematerialize", settings.rematerialize, from.rematerialize);
  add("rematerialize_blocks", std::to_string(settings.rematerialize_blocks), std::to_string(from.rematerialize_blocks));
  add("prefetch_distance", std::to_string(settings.prefetch_distance), std::to_string(from.prefetch_distance));
  add("reduce_gradients", settings.reduce_gradients, from.reduce_gradients);
  add("reduce_bucket_size", std::to_string(settings.reduce_bucket_size), std::to_string(from.reduce_bucket_size));
  add("dequant_cache_bytes", std::to_string(settings.dequant_cache_bytes), std::to_string(from.dequant_cache_bytes));
  add("offload_param_device", settings.offload_param_device, from.offload_param_device);
  add("offload_optimizer_device", settings.offload_optimizer_device, from.offload_optimizer_device);
  add("offload_activation_device", settings.offload_activation_device, from.offload_activation_device);
  add("generation_batch_size", std::to_string(settings.generation_batch_size), std::to_string(from.generation_batch_size));
  add("num_beams", std::to_string(settings.num_beams), std::to_string(from.num_beams));
  return text;
}

static std::string distanceOf(const JobSettings &settings) {
  return settings.prefetch_distance < 0 ? "auto" : std::to_string(settings.prefetch_distance);
}

/// "block 12": of so many blocks.
static std::string recomputedOf(const JobSettings &settings) {
  return settings.rematerialize + (settings.rematerialize_blocks < 0 ? "" : " " + std::to_string(settings.rematerialize_blocks));
}

std::string tableOf(const std::vector<Candidate> &candidates) {
  rt::TextTable table("rrlrlrlllrrrrrl");
  table.row({"ranks", "stage", "rematerialize", "prefetch", "reduce", "bucket", "param", "optimizer", "activation", "device", "host/node",
             "nvme/node", "step s", "tokens/s", ""});
  for (const Candidate &c : candidates) {
    const JobSettings &s = c.settings;
    std::vector<std::string> row = {std::to_string(s.num_processes),
                                    std::to_string(s.zero_stage),
                                    recomputedOf(s),
                                    distanceOf(s),
                                    s.reduce_gradients,
                                    std::to_string(s.reduce_bucket_size),
                                    s.offload_param_device,
                                    s.offload_optimizer_device,
                                    s.offload_activation_device};
    if (c.simulated)
      row.insert(row.end(), {rt::humanBytes(c.footprint.device), rt::humanBytes(c.footprint.host), rt::humanBytes(c.footprint.disk),
                             rt::fixed(c.stepSeconds, 3), rt::fixed(c.tokensPerSecond, 1)});
    else
      row.insert(row.end(), {"-", "-", "-", "-", "-"});
    row.push_back(!c.problem.empty() ? c.problem : c.excess.empty() ? "fits" : "too much: " + c.excess);
    table.row(std::move(row));
  }
  return table.print();
}

std::string jsonOf(const std::vector<Candidate> &candidates) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Candidate &c : candidates) {
    const JobSettings &s = c.settings;
    nlohmann::ordered_json row = {{"num_processes", s.num_processes},
                                  {"zero_stage", s.zero_stage},
                                  {"rematerialize", s.rematerialize},
                                  {"rematerialize_blocks", s.rematerialize_blocks},
                                  {"prefetch_distance", s.prefetch_distance},
                                  {"reduce_gradients", s.reduce_gradients},
                                  {"reduce_bucket_size", s.reduce_bucket_size},
                                  {"offload_param_device", s.offload_param_device},
                                  {"offload_optimizer_device", s.offload_optimizer_device},
                                  {"offload_activation_device", s.offload_activation_device},
                                  {"per_device_train_batch_size", s.per_device_train_batch_size},
                                  {"gradient_accumulation_steps", s.gradient_accumulation_steps},
                                  {"max_length", s.max_length},
                                  {"fits", c.fits()}};
    if (c.simulated)
      row.update({{"device_bytes", c.footprint.device},
                  {"reserve_bytes", c.footprint.reserve},
                  {"host_bytes_per_node", c.footprint.host},
                  {"nvme_bytes_per_node", c.footprint.disk},
                  {"step_seconds", c.stepSeconds},
                  {"tokens_per_second", c.tokensPerSecond},
                  {"exposed_communication_seconds", c.exposedSeconds},
                  {"bottleneck", c.bottleneck}});
    if (!c.fits())
      row["reason"] = c.problem.empty() ? c.excess : c.problem;
    list.push_back(std::move(row));
  }
  return list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

} // namespace zp

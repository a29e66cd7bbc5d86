#include "runtime/trainer/resume.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <vector>

#include "runtime/base/text_file.h"
#include "runtime/io/checkpoint_directory.h"
#include "runtime/io/model_weights.h"
#include "runtime/schema/plan_generated.h"
#include "runtime/schema/section_records.h"
#include "runtime/trainer/plan_entries.h"

namespace zp::rt {

namespace fs = std::filesystem;

namespace {

StatusOr<ResumePoint> openOne(const std::string &directory, const fbs::Plan &plan, const CheckpointIdentity *run, bool contents) {
  ResumePoint point;
  point.directory = directory;
  ZP_ASSIGN_OR_RETURN(point.manifest, readManifest(directory));
  ZP_RETURN_IF_ERROR(checkFiles(directory, point.manifest, contents));
  const std::string place = directory + "/" + kManifestName;
  if (run)
    ZP_RETURN_IF_ERROR(sameIdentity(place, point.manifest.identity, *run));
  ZP_ASSIGN_OR_RETURN(StateShards shards, point.shards());
  ZP_RETURN_IF_ERROR(shards.covers(plan));
  ZP_ASSIGN_OR_RETURN(point.log, readTextFile(directory + "/trainer_state.json"));
  return point;
}

std::string pathOf(const std::string &directory) {
  fs::path path = fs::path(directory).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).native();
}

/// What the message says of the checkpoints beside a refused one.
std::string besides(const std::string &refused, const std::string &parent, const fbs::Plan &plan, const CheckpointIdentity *run) {
  std::vector<uint64_t> steps = checkpointsIn(parent);
  std::reverse(steps.begin(), steps.end());
  for (uint64_t step : steps) {
    std::string directory = checkpointPath(parent, step);
    if (pathOf(directory) != refused && openOne(directory, plan, run, true).ok())
      return "; the latest good checkpoint beside it is " + directory;
  }
  return "; there is no good checkpoint beside it";
}

} // namespace

StatusOr<StateShards> ResumePoint::shards() const {
  std::vector<std::string> names;
  for (const ManifestFile &file : manifest.files)
    if (file.name.starts_with("optimizer-"))
      names.push_back(file.name);
  return StateShards::open(directory, names);
}

StatusOr<ResumePoint> openResumePoint(const std::string &asked, const std::string &output, const fbs::Plan &plan, const CheckpointIdentity *run,
                                      bool contents) {
  std::string directory = pathOf(asked);
  if (asked == "latest") {
    std::vector<uint64_t> steps = checkpointsIn(output);
    if (steps.empty())
      return Status(ErrorCode::Checkpoint, output + ": has no checkpoint-N, expected one to resume from; leave "
                                                    "--resume_from_checkpoint out to start anew");
    directory = pathOf(checkpointPath(output, steps.back()));
  }
  StatusOr<ResumePoint> point = openOne(directory, plan, run, contents);
  if (point.ok())
    return point;
  std::string parent = fs::path(directory).parent_path().native();
  return Status(point.status().code(), point.status().message() + besides(directory, parent.empty() ? "." : parent, plan, run));
}

std::string latestWhole(const std::string &output) {
  std::vector<uint64_t> steps = checkpointsIn(output);
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    std::string directory = checkpointPath(output, *step);
    StatusOr<CheckpointManifest> manifest = readManifest(directory);
    if (manifest.ok() && checkFiles(directory, *manifest, false).ok())
      return directory;
  }
  return {};
}

Status namingLatest(const Status &status, const std::string &output) {
  const std::string latest = latestWhole(output);
  return latest.empty() ? status : Status(status.code(), status.message() + "; the latest good checkpoint is " + latest);
}

/// A rank's slice of one kind of a section's state.
static Status fillSlice(const StateShards &from, const fbs::Plan &plan, uint32_t index, StateKind kind, int rank, const TensorPart &part) {
  const fbs::Section &section = *plan.sections()->Get(index);
  const TensorView &target = part.view;
  const uint64_t held = part.whole;
  const bool sharded = held != section.elements();
  if (sharded && held * plan.ranks() != section.elements())
    return Status(ErrorCode::PlanInvalid, "sections[" + std::to_string(index) + "]: its " + textOf(kind) + " has " + std::to_string(held) +
                                              " elements, expected the section's " + std::to_string(section.elements()) +
                                              " or a rank's share; compile the plan again");
  const uint64_t begin = (sharded ? held * static_cast<uint64_t>(rank) : 0) + part.first, end = begin + static_cast<uint64_t>(target.elements());
  std::memset(target.data, 0, target.bytes()); // between parameters, where nothing is trained
  for (const fbs::Parameter *parameter : *section.parameters()) {
    const uint64_t first = std::max(begin, parameter->offset()), last = std::min(end, parameter->offset() + elementsOf(*parameter));
    if (first < last)
      ZP_RETURN_IF_ERROR(from.read(parameter->name()->str(), kind, first - parameter->offset(), last - first,
                                   target.as<std::byte>() + bytesOf(target.dtype, first - begin), target.dtype));
  }
  return {};
}

Status restoreMasters(const StateShards &from, const fbs::Plan &plan, uint32_t section, int rank, const TensorPart &target) {
  return fillSlice(from, plan, section, StateKind::Master, rank, target);
}

Status restoreMoments(const StateShards &from, const fbs::Plan &plan, int rank, Executor &executor) {
  for (uint32_t s = 0; s < plan.sections()->size(); ++s) {
    const fbs::Section &section = *plan.sections()->Get(s);
    if (section.kind() != fbs::SectionKind::Trainable || !section.parameters())
      continue;
    for (StateKind kind : {StateKind::Moment1, StateKind::Moment2}) {
      const uint32_t tensor = stateTensor(section, kind);
      if (tensor == kNoTensor)
        continue;
      std::vector<std::byte> storage;
      TensorView view;
      ZP_RETURN_IF_ERROR(executor.bring(tensor, storage, view));
      ZP_RETURN_IF_ERROR(fillSlice(from, plan, s, kind, rank, view));
      ZP_RETURN_IF_ERROR(executor.putBack(tensor, view));
    }
  }
  return {};
}

} // namespace zp::rt

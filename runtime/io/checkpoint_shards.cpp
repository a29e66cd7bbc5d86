#include "runtime/io/checkpoint_shards.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>

#include "runtime/io/convert_elements.h"
#include "runtime/io/safetensors_writer.h"
#include "runtime/io/streamed_file.h"
#include "runtime/schema/plan_generated.h"
#include "runtime/schema/section_records.h"

namespace zp::rt {

namespace {

constexpr uint32_t kNone = 0xffffffff;

template <typename F> Status forEachTrained(const fbs::Plan &plan, F &&f) {
  for (uint32_t s = 0; plan.sections() && s < plan.sections()->size(); ++s) {
    const fbs::Section &section = *plan.sections()->Get(s);
    if (section.kind() != fbs::SectionKind::Trainable || !section.parameters())
      continue;
    for (StateKind kind : kStateKinds)
      if (stateTensor(section, kind) != kNone)
        ZP_RETURN_IF_ERROR(f(section, kind));
  }
  return {};
}

std::string keyOf(const StatePiece &piece) { return piece.parameter + "/" + textOf(piece.kind) + "/" + std::to_string(piece.first); }

struct Key {
  std::string parameter;
  StateKind kind;
  uint64_t first;
};

std::optional<Key> parseKey(std::string_view text) {
  size_t second = text.rfind('/'), first = second == std::string_view::npos || second == 0 ? second : text.rfind('/', second - 1);
  if (second == std::string_view::npos || first == std::string_view::npos || first == second)
    return {};
  Key key{std::string(text.substr(0, first)), StateKind::Master, 0};
  std::string_view kind = text.substr(first + 1, second - first - 1), number = text.substr(second + 1);
  auto found = std::find_if(std::begin(kStateKinds), std::end(kStateKinds), [&](StateKind k) { return kind == textOf(k); });
  auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), key.first);
  if (found == std::end(kStateKinds) || error != std::errc() || end != number.data() + number.size())
    return {};
  key.kind = *found;
  return key;
}

} // namespace

const char *textOf(StateKind kind) {
  switch (kind) {
  case StateKind::Master:
    return "master";
  case StateKind::Moment1:
    return "moment1";
  case StateKind::Moment2:
    return "moment2";
  }
  return "?";
}

uint32_t stateTensor(const fbs::Section &section, StateKind kind) {
  switch (kind) {
  case StateKind::Master:
    return section.master() != kNone ? section.master() : section.values();
  case StateKind::Moment1:
    return section.moment1();
  case StateKind::Moment2:
    return section.moment2();
  }
  return kNone;
}

StatusOr<std::vector<StatePiece>> piecesOf(const fbs::Plan &plan, int rank, const StateViews &views, bool share) {
  std::vector<StatePiece> pieces;
  ZP_RETURN_IF_ERROR(forEachTrained(plan, [&](const fbs::Section &section, StateKind kind) {
    const TensorView view = views(stateTensor(section, kind));
    const uint64_t held = static_cast<uint64_t>(view.elements()), whole = section.elements(), ranks = plan.ranks(), r = static_cast<uint64_t>(rank);
    const bool sharded = held != whole;
    if (!view || !isFloat(view.dtype) || (sharded && held * ranks != whole))
      return Status(ErrorCode::PlanInvalid, "plan: section " + section.name()->str() + ": its " + textOf(kind) + " has " + std::to_string(held) +
                                                " elements, expected floats, " + std::to_string(whole) + " or a rank's share; compile it again");
    const uint64_t origin = sharded ? r * held : 0;
    const uint64_t begin = sharded || !share ? origin : whole / ranks * r + std::min(r, whole % ranks);
    const uint64_t end = sharded || !share ? origin + held : whole / ranks * (r + 1) + std::min(r + 1, whole % ranks);
    for (const fbs::Parameter *parameter : *section.parameters()) {
      uint64_t from = std::max(begin, parameter->offset()), to = std::min(end, parameter->offset() + elementsOf(*parameter));
      if (from < to)
        pieces.push_back({parameter->name()->str(), kind, from - parameter->offset(), to - from,
                          view.as<std::byte>() + bytesOf(view.dtype, from - origin), view.dtype});
    }
    return Status();
  }));
  return pieces;
}

std::string shardName(int rank, int ranks) {
  char name[64];
  std::snprintf(name, sizeof name, "optimizer-%05d-of-%05d.safetensors", rank + 1, ranks);
  return name;
}

ShardLayout layoutOf(std::vector<StatePiece> pieces) {
  std::map<std::string, StatePiece *> named;
  std::vector<SafetensorsEntry> entries;
  for (StatePiece &piece : pieces) {
    entries.push_back({keyOf(piece), SafetensorsDtype::F32, {piece.count}});
    named[entries.back().name] = &piece;
  }
  const SafetensorsWriter::Metadata metadata = {{"format", "pt"}};
  std::vector<uint64_t> begins;
  ShardLayout layout;
  layout.header = safetensorsHeader(entries, &metadata, begins);
  layout.bytes = layout.header.size();
  for (const SafetensorsEntry &entry : entries) {
    layout.pieces.push_back(std::move(*named[entry.name]));
    layout.bytes += bytesOf(DType::F32, layout.pieces.back().count);
  }
  return layout;
}

StatusOr<ManifestFile> writeShard(const std::string &directory, const std::string &name, const ShardLayout &layout) {
  ZP_ASSIGN_OR_RETURN(StreamedFile file, StreamedFile::create(directory, name, layout.bytes));
  ZP_RETURN_IF_ERROR(file.append(layout.header.data(), layout.header.size()));
  for (const StatePiece &piece : layout.pieces)
    ZP_RETURN_IF_ERROR(file.append(bytesOf(DType::F32, piece.count), sizeof(float), [&](std::byte *target, uint64_t done, uint64_t n) {
      convertElements(piece.data + bytesOf(piece.dtype, done / sizeof(float)), piece.dtype, target, DType::F32, n / sizeof(float));
      return Status();
    }));
  return file.commit();
}

bool StateShards::hold(const std::string &parameter, StateKind kind, uint64_t first, Run run) {
  if (run.count == 0)
    return true;
  Runs &held = runs[parameter][kind];
  auto after = held.lower_bound(first);
  const bool overlaps = (after != held.end() && after->first - first < run.count) ||
                        (after != held.begin() && std::prev(after)->first + std::prev(after)->second.count > first);
  if (overlaps || first + run.count < run.count)
    return false;
  held.emplace(first, std::move(run));
  return true;
}

Status StateShards::add(const std::vector<StatePiece> &pieces) {
  for (const StatePiece &piece : pieces)
    if (piece.dtype != DType::F32 || !hold(piece.parameter, piece.kind, piece.first, {piece.data, piece.count, nullptr, nullptr}))
      return Status(ErrorCode::Checkpoint,
                    directory + ": " + keyOf(piece) + " is in memory and another shard has elements of it, expected f32 in one place");
  return {};
}

StatusOr<StateShards> StateShards::open(const std::string &directory, const std::vector<std::string> &names) {
  StateShards shards;
  shards.directory = directory;
  for (const std::string &name : names) {
    ZP_ASSIGN_OR_RETURN(std::shared_ptr<const SafetensorsFile> file, SafetensorsFile::open(directory + "/" + name));
    for (const auto &[tensor, info] : file->tensors()) {
      auto refused = [&](const std::string &what) {
        return Status(ErrorCode::Checkpoint, file->path() + ": tensor " + tensor + ": " + what + "; resume from another checkpoint");
      };
      std::optional<Key> key = parseKey(tensor);
      if (!key || info.dtype != SafetensorsDtype::F32 || info.shape.size() != 1)
        return refused("is not NAME/KIND/FIRST with a row of F32");
      if (!shards.hold(key->parameter, key->kind, key->first, {file->data(info), info.elements(), file, &info}))
        return refused("holds elements that another has too");
    }
  }
  return shards;
}

template <typename F> Status StateShards::forEachRun(const std::string &parameter, StateKind kind, uint64_t first, uint64_t count, F &&f) const {
  auto missing = [&](uint64_t at) {
    return Status(ErrorCode::Checkpoint, directory + ": has no element " + std::to_string(at) + " of " + parameter + " (" + textOf(kind) +
                                             "), expected every element in one of its optimizer "
                                             "files; resume from another checkpoint");
  };
  auto named = runs.find(parameter);
  auto ofKind = named == runs.end() ? std::map<StateKind, Runs>::const_iterator() : named->second.find(kind);
  if (named == runs.end() || ofKind == named->second.end())
    return missing(first);
  for (uint64_t done = 0; done < count;) {
    auto it = ofKind->second.upper_bound(first + done);
    if (it == ofKind->second.begin())
      return missing(first + done);
    --it;
    uint64_t offset = first + done - it->first;
    if (offset >= it->second.count)
      return missing(first + done);
    uint64_t n = std::min(count - done, it->second.count - offset);
    f(it->second, offset, n, done);
    done += n;
  }
  return {};
}

Status StateShards::covers(const fbs::Plan &plan) const {
  return forEachTrained(plan, [&](const fbs::Section &section, StateKind kind) {
    for (const fbs::Parameter *parameter : *section.parameters())
      ZP_RETURN_IF_ERROR(forEachRun(parameter->name()->str(), kind, 0, elementsOf(*parameter), [](auto &&...) {}));
    return Status();
  });
}

Status StateShards::read(const std::string &parameter, StateKind kind, uint64_t first, uint64_t count, void *target, DType dtype) const {
  return forEachRun(parameter, kind, first, count, [&](const Run &run, uint64_t offset, uint64_t n, uint64_t at) {
    convertElements(run.data + offset * sizeof(float), DType::F32, static_cast<std::byte *>(target) + bytesOf(dtype, at), dtype, n);
    if (run.file)
      run.file->release(*run.info, offset * sizeof(float), n * sizeof(float));
  });
}

} // namespace zp::rt

#include "frontends/sft/ObjectFlags.h"

namespace zp::fe {

const KeyTable &acceleratorConfigKeys() {
  static const KeyTable table("--accelerator_config", {
#define ZP_KEY(name, kind, use, target, accepted, note) {name, ValueKind::kind, KeyUse::use, target, accepted, note},
#include "frontends/sft/AcceleratorConfigKeys.inc"
                                                      });
  return table;
}

const KeyTable &datasetKwargsKeys() {
  static const KeyTable table("--dataset_kwargs", {
#include "frontends/sft/DatasetKwargsKeys.inc"
#undef ZP_KEY
                                                  });
  return table;
}

namespace {

/// What stands on the command line has no lines.
std::string withoutLine(const std::string &message, const std::string &flag) {
  const std::string place = flag + ":1: ";
  return message.starts_with(place) ? flag + ": " + message.substr(place.size()) : message;
}

Status readKeys(const ConfigDocument &document, const KeyTable &table, ReadKeys &keys) {
  ZP_RETURN_IF_ERROR(table.read(document, document.root(), keys, /*numbersInQuotes=*/true));
  for (const ConfigKey &key : table.all())
    if (key.use == KeyUse::Special && keys.text(key.name) == "false")
      return Status(ErrorCode::Config, document.place(keys.found.at(key.name)->line, key.name) + ": is false, expected true; " + key.note);
  return Status();
}

Status check(const SftArguments &arguments, const char *name, const KeyTable &table, bool fileToo, std::vector<std::string> &notes) {
  const std::string flag = std::string("--") + name, value = arguments.get(name);
  if (value.empty())
    return Status();
  const bool text = value.starts_with("{"); // as the reference tells one from the other
  if (!text && !fileToo)
    return Status(ErrorCode::Config,
                  flag + ": is '" + value + "', expected a JSON object; write '{\"skip_prepare_dataset\": false}', or drop the flag");
  StatusOr<ConfigDocument> document = text ? ConfigDocument::parseJson(flag, value) : ConfigDocument::readJson(value);
  ReadKeys keys;
  const Status status = document.ok() ? readKeys(*document, table, keys) : document.status();
  for (const std::string &note : keys.notes)
    notes.push_back(withoutLine(note, flag));
  return status.ok() ? status : Status(status.code(), withoutLine(status.message(), flag));
}

} // namespace

Status checkObjectFlags(const SftArguments &arguments, std::vector<std::string> &notes) {
  ZP_RETURN_IF_ERROR(check(arguments, "accelerator_config", acceleratorConfigKeys(), /*fileToo=*/true, notes));
  return check(arguments, "dataset_kwargs", datasetKwargsKeys(), /*fileToo=*/false, notes);
}

} // namespace zp::fe

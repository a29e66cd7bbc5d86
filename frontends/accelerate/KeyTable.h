// What the tables of keys and flags have in common: a row says what a key takes and what it means here. Reading a map
// by its table yields settings, each with its place, and a line for each key that has no effect.
#ifndef ZP_FRONTENDS_ACCELERATE_KEYTABLE_H
#define ZP_FRONTENDS_ACCELERATE_KEYTABLE_H

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontends/accelerate/ConfigDocument.h"

namespace zp::fe {

enum class ValueKind { Bool, Int, Float, Text, Any };

enum class KeyUse {
  Setting,  ///< becomes our setting; a flag on the command line wins
  Match,    ///< becomes our setting; a flag that says otherwise is an error
  NoEffect, ///< accepted; the note says why it changes nothing
  Off,      ///< accepted while it switches nothing on; the note says what isn't there
  Special,  ///< the reader's own code gives it its meaning
  Section,  ///< a map with rows of its own
  Data,     ///< an option of zpdata (flags only)
  Both,     ///< a setting that is an option of zpdata too (flags only)
  Run,      ///< an option of zprun (flags only)
};

struct ConfigKey {
  const char *name; ///< dotted inside sections
  ValueKind kind;
  KeyUse use;
  const char *target;   ///< the setting's or option's name; empty: the key's own
  const char *accepted; ///< words split by |, beside numbers for a number; empty: any value of the kind
  const char *note;     ///< a clause without a final stop

  std::string targetName() const { return *target ? target : name; }
};

/// A setting that a file asks for.
struct SettingWish {
  std::string setting, value; ///< the value as zpc import takes it
  std::string place;          ///< FILE:LINE: key
  bool mustMatch = false;     ///< a flag that says otherwise is an error
  bool overFlags = false;     ///< it goes before a flag that says otherwise, as in the reference; a note says so
  bool unsaid = false;        ///< the file doesn't name it, and the reference takes this value whatever flags say; a note says so
};

/// The word as our tools take it (true/false, plain whole numbers), or the kind that was expected.
struct CheckedWord {
  std::string value;
  std::string expected; ///< empty: the word is fine
};
CheckedWord checkWord(const ConfigKey &key, const std::string &word);

/// Nothing, false, none, no, 0, or an empty map or list; a section whose `enabled` is off.
bool isOff(const ConfigNode &node);

struct ReadKeys {
  std::vector<SettingWish> wishes;
  std::vector<std::string> notes;
  std::map<std::string, const ConfigNode::Entry *> found; ///< by the table's name
  std::map<std::string, std::string> words;               ///< of those that were checked: as checkWord spells them

  /// The scalar's word, or where nothing was checked its text, when the key is there and not null.
  std::optional<std::string> text(const std::string &name) const;
};

class KeyTable {
public:
  KeyTable(const char *owner, std::vector<ConfigKey> keys) : owner(owner), keys(std::move(keys)) {}

  const ConfigKey *find(const std::string &name) const;
  const std::vector<ConfigKey> &all() const { return keys; }
  /// The names inside a section ("" for the top).
  std::vector<std::string> namesIn(const std::string &section) const;

  /// UnknownKey with the nearest key, Config for a value that can't be. `numbersInQuotes`: YAML, not JSON.
  Status read(const ConfigDocument &document, const ConfigNode &map, ReadKeys &into, bool numbersInQuotes, const std::string &section = "") const;

private:
  Status readEntry(const ConfigDocument &document, const ConfigNode::Entry &entry, const ConfigKey &key, ReadKeys &into, bool numbersInQuotes) const;
  Status unknown(const ConfigDocument &document, const ConfigNode::Entry &entry, const std::string &section) const;

  const char *owner;
  std::vector<ConfigKey> keys;
};

} // namespace zp::fe

#endif // ZP_FRONTENDS_ACCELERATE_KEYTABLE_H

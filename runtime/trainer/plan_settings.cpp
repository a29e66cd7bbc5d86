#include "runtime/trainer/plan_settings.h"

#include <charconv>
#include <map>
#include <string>

#include "runtime/schema/plan_generated.h"

namespace zp::rt {

static bool parse(const std::string &text, std::string &out) {
  out = text;
  return true;
}
static bool parse(const std::string &text, bool &out) {
  out = text == "true";
  return out || text == "false";
}
template <typename Number> static bool parse(const std::string &text, Number &out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

StatusOr<JobSettings> settingsOf(const fbs::Plan &plan) {
  std::map<std::string, std::string> given;
  if (plan.settings())
    for (const fbs::Setting *setting : *plan.settings())
      if (setting->name() && setting->value())
        given[setting->name()->str()] = setting->value()->str();
  JobSettings settings;
  std::string wrong;
  settings.forEach([&](const char *name, auto &value, const char *) {
    auto it = given.find(name);
    if (it == given.end())
      return;
    if (!parse(it->second, value) && wrong.empty())
      wrong = std::string(name) + ": \"" + it->second + "\" is no value of this setting";
    given.erase(it);
  });
  if (wrong.empty() && !given.empty())
    wrong = given.begin()->first + ": is not a setting that this zprun knows";
  if (!wrong.empty())
    return Status(ErrorCode::Config, "plan: settings." + wrong + "; compile the plan again with the zpc of this build");
  return settings;
}

} // namespace zp::rt

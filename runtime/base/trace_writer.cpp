#include "runtime/base/trace_writer.h"

#include <cmath>
#include <cstdio>

namespace zp {
namespace {

/// A JSON string. Bytes of no ASCII go through as they are: names are UTF-8.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < ' ') {
      char escape[8];
      std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned>(c));
      out += escape;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

/// JSON has no infinities: what is not finite is 0.
std::string number(double value, const char *format) {
  char text[64];
  std::snprintf(text, sizeof(text), format, std::isfinite(value) ? value : 0.0);
  return text;
}

std::string microseconds(double seconds) { return number(seconds * 1e6, "%.3f"); }

} // namespace

void TraceWriter::begin() {
  if (!events.empty())
    events += ",\n";
}

void TraceWriter::metadata(const char *kind, uint32_t process, int64_t track, std::string_view name, uint32_t place) {
  const std::string who = ",\"pid\":" + std::to_string(process) + (track < 0 ? "" : ",\"tid\":" + std::to_string(track));
  begin();
  events += std::string("{\"ph\":\"M\",\"name\":\"") + kind + "_name\"" + who + ",\"args\":{\"name\":" + quoted(name) + "}},\n";
  events += std::string("{\"ph\":\"M\",\"name\":\"") + kind + "_sort_index\"" + who + ",\"args\":{\"sort_index\":" + std::to_string(place) + "}}";
}

uint32_t TraceWriter::addProcess(std::string_view name) {
  metadata("process", processes, -1, name, processes);
  return processes++;
}

uint32_t TraceWriter::addTrack(uint32_t process, std::string_view name) {
  const auto track = static_cast<uint32_t>(processOfTrack.size());
  metadata("thread", process, track, name, track);
  processOfTrack.push_back(process);
  return track;
}

void TraceWriter::addSlice(uint32_t track, std::string_view name, double start, double duration, const std::vector<TraceArgument> &arguments) {
  begin();
  events += "{\"ph\":\"X\",\"name\":" + quoted(name) + ",\"pid\":" + std::to_string(processOfTrack[track]) + ",\"tid\":" + std::to_string(track) +
            ",\"ts\":" + microseconds(start) + ",\"dur\":" + microseconds(duration);
  for (size_t i = 0; i < arguments.size(); ++i) {
    events += (i ? "," : ",\"args\":{") + quoted(arguments[i].first) + ":";
    if (const auto *text = std::get_if<std::string_view>(&arguments[i].second))
      events += quoted(*text);
    else
      events += number(std::get<double>(arguments[i].second), "%.17g");
  }
  events += arguments.empty() ? "}" : "}}";
}

} // namespace zp

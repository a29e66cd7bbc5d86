// A timeline as Chrome's trace JSON, which Perfetto and chrome://tracing open. Predicted and measured runs are written in the
// same form, so that both open side by side: a process a rank, a track a stream, a slice an instruction.
#ifndef ZP_RUNTIME_BASE_TRACE_WRITER_H
#define ZP_RUNTIME_BASE_TRACE_WRITER_H

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace zp {

/// What a click on a slice shows: a key and a number or a text.
using TraceArgument = std::pair<std::string_view, std::variant<double, std::string_view>>;

class TraceWriter {
public:
  /// Shown in the order they are added. A track belongs to a process; names need not differ.
  uint32_t addProcess(std::string_view name);
  uint32_t addTrack(uint32_t process, std::string_view name);
  /// From `start` on for `duration`, both in seconds. Slices of one track must not overlap, or viewers nest them.
  void addSlice(uint32_t track, std::string_view name, double start, double duration, const std::vector<TraceArgument> &arguments = {});
  /// The whole file.
  std::string json() const { return "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n" + events + "\n]}\n"; }

private:
  void begin();
  void metadata(const char *kind, uint32_t process, int64_t track, std::string_view name, uint32_t place);

  std::string events;
  std::vector<uint32_t> processOfTrack;
  uint32_t processes = 0;
};

} // namespace zp

#endif // ZP_RUNTIME_BASE_TRACE_WRITER_H

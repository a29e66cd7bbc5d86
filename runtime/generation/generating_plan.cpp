#include "runtime/generation/generating_plan.h"

#include "runtime/io/convert_elements.h"
#include "runtime/schema/plan_generated.h"
#include "runtime/trainer/plan_settings.h"

namespace zp::rt {

namespace {

constexpr uint64_t kMostPlaces = 1 << 30;

Status invalid(const std::string &place, const std::string &what) {
  return Status(ErrorCode::PlanInvalid, "plan: " + place + ": " + what + "; compile the plan again");
}

/// The memory of an input i32 [elements] of an entry.
StatusOr<int32_t *> inputOfEntry(const fbs::Entry &entry, const std::string &name, uint64_t elements, Executor &executor) {
  const uint32_t tensor = inputOf(entry, name);
  TensorView view = tensor == kNoTensor ? TensorView{} : executor.view(tensor);
  if (!view || view.dtype != DType::I32 || static_cast<uint64_t>(view.elements()) != elements)
    return invalid("entries",
                   name + " of " + fbs::EnumNameEntryKind(entry.kind()) + " is not an i32 tensor of " + std::to_string(elements) + " elements");
  return view.as<int32_t>();
}

StatusOr<TokenPass> passOf(const PlanEntries &entries, fbs::EntryKind kind, Executor &executor) {
  const bool source = kind == fbs::EntryKind::Encode;
  TokenPass pass;
  ZP_ASSIGN_OR_RETURN(pass.index, entries.longestEntry(kind));
  const fbs::Entry &entry = entries.entry(pass.index);
  pass.rows = entry.rows();
  pass.length = source ? entry.source_length() : entry.length();
  const uint64_t tokens = pass.rows * pass.length;
  if (tokens == 0)
    return invalid("entries", std::string(fbs::EnumNameEntryKind(kind)) + " has no tokens");
  ZP_ASSIGN_OR_RETURN(pass.ids, inputOfEntry(entry, source ? "source_ids" : "input_ids", tokens, executor));
  // An encoder may know distances alone.
  const char *positions = source ? "source_position_ids" : "position_ids";
  if (!source || inputOf(entry, positions) != kNoTensor) {
    ZP_ASSIGN_OR_RETURN(pass.positions, inputOfEntry(entry, positions, tokens, executor));
  }
  if (source) {
    ZP_ASSIGN_OR_RETURN(pass.segments, inputOfEntry(entry, "source_segment_ids", tokens, executor));
  }
  return pass;
}

/// What comes before `decode`.
Status openReaders(const PlanEntries &entries, bool encoderDecoder, Executor &executor, GeneratingPlan &plan) {
  if (!encoderDecoder) {
    ZP_ASSIGN_OR_RETURN(plan.prefill, passOf(entries, fbs::EntryKind::Prefill, executor));
    return plan.prefill->rows == plan.rows() ? Status() : invalid("entries", "prefill has other rows than decode has beams");
  }
  ZP_ASSIGN_OR_RETURN(plan.encode, passOf(entries, fbs::EntryKind::Encode, executor));
  if (plan.encode->rows != plan.prompts())
    return invalid("entries", "encode has other rows than decode");
  const fbs::Entry &decode = entries.entry(plan.decode.index);
  ZP_ASSIGN_OR_RETURN(plan.decode.segments, inputOfEntry(decode, "segment_ids", plan.rows(), executor));
  ZP_ASSIGN_OR_RETURN(plan.sourceSegments, inputOfEntry(decode, "source_segment_ids", plan.encode->rows * plan.encode->length, executor));
  return {};
}

} // namespace

void TokenPass::put(uint64_t row, uint64_t i, int32_t id, int64_t place) const {
  ids[row * length + i] = id;
  if (positions)
    positions[row * length + i] = static_cast<int32_t>(place);
}

uint64_t sourceLengthOf(const fbs::Plan &plan) { return PlanEntries(plan).longestSource(fbs::EntryKind::Encode); }

uint64_t beamsOf(const fbs::Plan &plan) { return PlanEntries(plan).longest(fbs::EntryKind::Decode); }

StatusOr<GeneratingPlan> GeneratingPlan::open(const fbs::Plan &file, Executor &executor) {
  const PlanEntries entries(file);
  const bool encoderDecoder = sourceLengthOf(file) > 0;
  GeneratingPlan plan;
  ZP_ASSIGN_OR_RETURN(JobSettings job, settingsOf(file));
  ZP_ASSIGN_OR_RETURN(plan.decode, passOf(entries, fbs::EntryKind::Decode, executor));
  plan.places = static_cast<uint64_t>(job.max_length);
  if (plan.places == 0 || plan.places > kMostPlaces / plan.rows())
    return invalid("settings", "the length of a row is " + std::to_string(plan.places) + ", expected 1 or more tokens and at most 2^30 in all rows");
  ZP_RETURN_IF_ERROR(openReaders(entries, encoderDecoder, executor, plan));
  if (plan.beams() > 1) {
    ZP_ASSIGN_OR_RETURN(plan.reorder, entries.longestEntry(fbs::EntryKind::Reorder));
    ZP_ASSIGN_OR_RETURN(plan.origins, inputOfEntry(entries.entry(*plan.reorder), "beam_origins", plan.rows(), executor));
  }
  const uint32_t output = outputOf(entries.entry(plan.decode.index), "logits");
  plan.logits = output == kNoTensor ? TensorView{} : executor.view(output);
  if (!plan.logits || plan.logits.rank != 2 || static_cast<uint64_t>(plan.logits.dims[0]) != plan.rows() || !isFloat(plan.logits.dtype))
    return invalid("entries", "decode has no output logits of its rows");
  return plan;
}

} // namespace zp::rt

// A plan as text: stable, one line a thing, in the file's order. What lit tests match and people read.
//
//   plan ranks=2 target=cpu vocab=32000 streams=2 events=7 reserve=0
//   setting lora_r = 8
//   space device 1048576
//   section 0 unit0 unit=0 frozen bf16 elements=4096 sharded=parameters decay_end=0 values=%3
//     parameter model.embed_tokens.weight [64,64] at 0 checkpoint "model.embed_tokens.weight"
//   section 1 unit0.codes unit=0 codes u8 elements=16928 sharded=parameters decay_end=0 nf4/64 nested values=%4
//   buffer 0 weights.0 device weights persistent [0, +4096)
//   entry 1 train_step any rows=2 length=16
//     input input_ids %7
//     0: s0 matmul a=%1 f32[2,3] weights.0+0, … {transpose_b: true, alpha: 1.0}
//     output loss_sum %9
//
// In braces stand the attributes that are not 0 or false. An absent operand is left out.
#ifndef ZP_RUNTIME_PLAN_PLAN_PRINTER_H
#define ZP_RUNTIME_PLAN_PLAN_PRINTER_H

#include <string>

#include "runtime/schema/plan_generated.h"

namespace zp::rt {

/// Of a verified plan.
std::string printPlan(const fbs::Plan &plan);
/// The flatbuffer as it is, as JSON with the schema's field names.
std::string printPlanJson(const fbs::Plan &plan);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_PLAN_PRINTER_H

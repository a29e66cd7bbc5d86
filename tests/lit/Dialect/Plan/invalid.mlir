// RUN: zp-opt %s --split-input-file --verify-diagnostics
// One case for each numbered constraint, named op_cN_what: see the Constraints of the op's description.

// expected-error @below {{C1: bytes must be positive}}
plan.buffer @buffer_c1_empty tier device kind working {bytes = 0 : i64}

// -----

// expected-error @below {{C1: bytes must be positive}}
plan.buffer @buffer_c1_negative tier device kind working {bytes = -256 : i64}

// -----

// expected-error @below {{C2: offset must be a multiple of 64 and not negative}}
plan.buffer @buffer_c2_unaligned tier device kind working {bytes = 256 : i64, offset = 32 : i64}

// -----

// expected-error @below {{C2: offset must be a multiple of 64 and not negative}}
plan.buffer @buffer_c2_negative tier device kind working {bytes = 256 : i64, offset = -64 : i64}

// -----

// expected-error @below {{region should have no arguments}}
plan.entry @entry_c1_argument kind train_step {
^bb0(%x: memref<8xf32>):
}

// -----

plan.buffer @b tier device kind working {bytes = 256 : i64}
plan.entry @view_c1_negative kind train_step {
  // expected-error @below {{C1: offset must not be negative}}
  %v = plan.view @b[-4] : memref<8xf32>
}

// -----

plan.buffer @b tier device kind working {bytes = 256 : i64}
plan.entry @view_c2_dynamic kind train_step {
  // expected-error @below {{C2: the memref must be static and contiguous}}
  %v = plan.view @b[0] : memref<?xf32>
}

// -----

plan.buffer @b tier device kind working {bytes = 256 : i64}
plan.entry @view_c2_strided kind train_step {
  // expected-error @below {{C2: the memref must be static and contiguous}}
  %v = plan.view @b[0] : memref<4x4xf32, strided<[8, 1]>>
}

// -----

plan.entry @instruction_needs_its_attributes kind train_step {
  // expected-error @below {{requires attribute 'event'}}
  plan.record_event
}

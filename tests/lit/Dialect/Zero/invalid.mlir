// RUN: zp-opt %s --split-input-file --verify-diagnostics
// One program for each numbered constraint, named op_cN_what: see the Constraints of the op's description.

// expected-error @below {{C1: ranks must divide the section's length}}
zero.section @section_c1_ranks kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 3 : i64}

// -----

// expected-error @below {{C1: ranks must divide the section's length}}
zero.section @section_c1_no_ranks kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 0 : i64}

// -----

// expected-error @below {{C2: slots must ascend and lie within the section, @v doesn't}}
zero.section @section_c2_order kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 16>, #zero.slot<@v, 0>], ranks = 2 : i64}

// -----

// expected-error @below {{C2: slots must ascend and lie within the section, @v doesn't}}
zero.section @section_c2_same_place kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 16>, #zero.slot<@v, 16>], ranks = 2 : i64}

// -----

// expected-error @below {{C2: slots must ascend and lie within the section, @w doesn't}}
zero.section @section_c2_outside kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 64>], ranks = 2 : i64}

// -----

// expected-error @below {{C2: slots must ascend and lie within the section, @w doesn't}}
zero.section @section_c2_negative kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, -1>], ranks = 2 : i64}

// -----

// expected-error @below {{C3: a sharded gradient and sharded values need a sharded optimizer}}
zero.section @section_c3_gradient_alone kind trainable {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, gradient_sharded}

// -----

// expected-error @below {{C3: a sharded gradient and sharded values need a sharded optimizer}}
zero.section @section_c3_values_alone kind trainable {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, values_sharded}

// -----

nn.program @values_c1_no_section kind evaluate {
  // expected-error @below {{C1: @s is not a zero.section}}
  %v = zero.values @s : tensor<64xf32>
}

// -----

// expected-note @below {{section declared here}}
zero.section @s kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, values_sharded}
nn.program @values_c2_length kind evaluate {
  // expected-error @below {{C2: has 64 elements, expected 32}}
  %v = zero.values @s : tensor<64xf32>
}

// -----

// expected-note @below {{section declared here}}
zero.section @s kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64}
nn.program @values_c2_slice_of_replica kind evaluate {
  // expected-error @below {{C2: has 32 elements, expected 64}}
  %v = zero.values @s : tensor<32xf32>
}

// -----

zero.section @s kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, values_sharded}
nn.program @values_c2_type kind evaluate {
  // expected-error @below {{C2: has elements of type 'bf16', expected the section's, 'f32'}}
  %v = zero.values @s : tensor<32xbf16>
}

// -----

nn.program @store_values_c1_no_section kind evaluate {
  %x = nn.input "x" : tensor<64xf32>
  // expected-error @below {{C1: @s is not a zero.section}}
  zero.store_values @s, %x : tensor<64xf32>
}

// -----

// expected-note @below {{section declared here}}
zero.section @s kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, values_sharded}
nn.program @store_values_c2_length kind evaluate {
  %x = nn.input "x" : tensor<64xf32>
  // expected-error @below {{C2: has 64 elements, expected 32}}
  zero.store_values @s, %x : tensor<64xf32>
}

// -----

zero.section @s kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, values_sharded}
nn.program @store_values_c2_type kind evaluate {
  %x = nn.input "x" : tensor<32xbf16>
  // expected-error @below {{C2: has elements of type 'bf16', expected the section's, 'f32'}}
  zero.store_values @s, %x : tensor<32xbf16>
}

// -----

nn.program @accumulate_gradient_c1_no_section kind evaluate {
  %x = nn.input "x" : tensor<64xf32>
  // expected-error @below {{C1: @s is not a trainable zero.section}}
  zero.accumulate_gradient @s, %x : tensor<64xf32>
}

// -----

zero.section @s kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64}
nn.program @accumulate_gradient_c1_frozen kind evaluate {
  %x = nn.input "x" : tensor<64xf32>
  // expected-error @below {{C1: @s is not a trainable zero.section}}
  zero.accumulate_gradient @s, %x : tensor<64xf32>
}

// -----

// expected-note @below {{section declared here}}
zero.section @s kind trainable {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, gradient_sharded, optimizer_sharded}
nn.program @accumulate_gradient_c2_length kind evaluate {
  %x = nn.input "x" : tensor<64xf32>
  // expected-error @below {{C2: has 64 elements, expected 32}}
  zero.accumulate_gradient @s, %x : tensor<64xf32>
}

// -----

zero.section @s kind trainable {unit = 1 : i64, type = tensor<64xbf16>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, gradient_sharded, optimizer_sharded}
nn.program @accumulate_gradient_c2_bf16 kind evaluate {
  %x = nn.input "x" : tensor<32xbf16>
  // expected-error @below {{C2: has a gradient of 'bf16', expected f32}}
  zero.accumulate_gradient @s, %x : tensor<32xbf16>
}

// -----

nn.program @gradient_c1_no_section kind evaluate {
  // expected-error @below {{C1: @s is not a trainable zero.section}}
  %g = zero.gradient @s : tensor<64xf32>
}

// -----

zero.section @s kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64}
nn.program @gradient_c1_frozen kind evaluate {
  // expected-error @below {{C1: @s is not a trainable zero.section}}
  %g = zero.gradient @s : tensor<64xf32>
}

// -----

// expected-note @below {{section declared here}}
zero.section @s kind trainable {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, gradient_sharded, optimizer_sharded}
nn.program @gradient_c2_length kind evaluate {
  // expected-error @below {{C2: has 64 elements, expected 32}}
  %g = zero.gradient @s : tensor<64xf32>
}

// -----

zero.section @s kind trainable {unit = 1 : i64, type = tensor<64xbf16>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, gradient_sharded, optimizer_sharded}
nn.program @gradient_c2_bf16 kind evaluate {
  // expected-error @below {{C2: has a gradient of 'bf16', expected f32}}
  %g = zero.gradient @s : tensor<32xbf16>
}

// -----

zero.section @s kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64}
nn.program @clear_gradient_c1_frozen kind evaluate {
  // expected-error @below {{C1: @s is not a trainable zero.section}}
  zero.clear_gradient @s
}

// -----

nn.program @load_c1_no_section kind evaluate {
  // expected-error @below {{C1: @s is not a zero.section}}
  zero.load @s
}

// -----

zero.section @s kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64}
nn.program @adamw_c1_frozen kind evaluate {
  %g = nn.input "g" : tensor<32xf32>
  %c = nn.input "c" : tensor<1xf32>
  %k = nn.input "k" : tensor<64xi8>
  // expected-error @below {{C1: @s is not a trainable zero.section}}
  %n = zero.adamw @s, %g, %c, %k {beta1 = 0.9 : f64, beta2 = 0.999 : f64, epsilon = 1.0e-8 : f64, weight_decay = 0.0 : f64} : (tensor<32xf32>, tensor<1xf32>, tensor<64xi8>) -> tensor<32xf32>
}

// -----

// expected-note @below {{section declared here}}
zero.section @s kind trainable {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, gradient_sharded, optimizer_sharded}
nn.program @adamw_c2_gradient kind evaluate {
  %g = nn.input "g" : tensor<64xf32>
  %c = nn.input "c" : tensor<1xf32>
  %k = nn.input "k" : tensor<64xi8>
  // expected-error @below {{C2: has 64 elements, expected 32}}
  %n = zero.adamw @s, %g, %c, %k {beta1 = 0.9 : f64, beta2 = 0.999 : f64, epsilon = 1.0e-8 : f64, weight_decay = 0.0 : f64} : (tensor<64xf32>, tensor<1xf32>, tensor<64xi8>) -> tensor<32xf32>
}

// -----

zero.section @s kind trainable {unit = 1 : i64, type = tensor<64xbf16>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, gradient_sharded, optimizer_sharded}
nn.program @adamw_c2_gradient_bf16 kind evaluate {
  %g = nn.input "g" : tensor<32xbf16>
  %c = nn.input "c" : tensor<1xf32>
  %k = nn.input "k" : tensor<64xi8>
  // expected-error @below {{C2: has a gradient of 'bf16', expected f32}}
  %n = zero.adamw @s, %g, %c, %k {beta1 = 0.9 : f64, beta2 = 0.999 : f64, epsilon = 1.0e-8 : f64, weight_decay = 0.0 : f64} : (tensor<32xbf16>, tensor<1xf32>, tensor<64xi8>) -> tensor<32xbf16>
}

// -----

zero.section @s kind trainable {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, gradient_sharded, optimizer_sharded}
nn.program @adamw_c2_result_length kind evaluate {
  %g = nn.input "g" : tensor<32xf32>
  %c = nn.input "c" : tensor<1xf32>
  %k = nn.input "k" : tensor<64xi8>
  // expected-error @below {{C2: the result must have the optimizer's length and the section's element type}}
  %n = zero.adamw @s, %g, %c, %k {beta1 = 0.9 : f64, beta2 = 0.999 : f64, epsilon = 1.0e-8 : f64, weight_decay = 0.0 : f64} : (tensor<32xf32>, tensor<1xf32>, tensor<64xi8>) -> tensor<64xf32>
}

// -----

zero.section @s kind trainable {unit = 1 : i64, type = tensor<64xbf16>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, gradient_sharded, optimizer_sharded}
nn.program @adamw_c2_result_type kind evaluate {
  %g = nn.input "g" : tensor<32xf32>
  %c = nn.input "c" : tensor<1xf32>
  %k = nn.input "k" : tensor<64xi8>
  // expected-error @below {{C2: the result must have the optimizer's length and the section's element type}}
  %n = zero.adamw @s, %g, %c, %k {beta1 = 0.9 : f64, beta2 = 0.999 : f64, epsilon = 1.0e-8 : f64, weight_decay = 0.0 : f64} : (tensor<32xf32>, tensor<1xf32>, tensor<64xi8>) -> tensor<32xf32>
}

// -----

nn.program @slot_c1_no_section kind evaluate {
  %x = nn.input "x" : tensor<64xf32>
  // expected-error @below {{C1: @s is not a zero.section}}
  %w = zero.slot %x, @s, @w : (tensor<64xf32>) -> tensor<8x4xf32>
}

// -----

// expected-note @below {{section declared here}}
zero.section @s kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, values_sharded}
nn.program @slot_c2_a_slice kind evaluate {
  %x = nn.input "x" : tensor<32xf32>
  // expected-error @below {{C2: has 32 elements, expected 64}}
  %w = zero.slot %x, @s, @w : (tensor<32xf32>) -> tensor<8x4xf32>
}

// -----

zero.section @s kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64}
nn.program @slot_c2_whole_type kind evaluate {
  %x = nn.input "x" : tensor<64xbf16>
  // expected-error @below {{C2: whole and result must have the section's element type, 'f32'}}
  %w = zero.slot %x, @s, @w : (tensor<64xbf16>) -> tensor<8x4xf32>
}

// -----

zero.section @s kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64}
nn.program @slot_c2_result_type kind evaluate {
  %x = nn.input "x" : tensor<64xf32>
  // expected-error @below {{C2: whole and result must have the section's element type, 'f32'}}
  %w = zero.slot %x, @s, @w : (tensor<64xf32>) -> tensor<8x4xbf16>
}

// -----

zero.section @s kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64}
nn.program @slot_c3_not_there kind evaluate {
  %x = nn.input "x" : tensor<64xf32>
  // expected-error @below {{C3: @v has no slot of this size in @s}}
  %w = zero.slot %x, @s, @v : (tensor<64xf32>) -> tensor<8x4xf32>
}

// -----

zero.section @s kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 16>], ranks = 2 : i64}
nn.program @slot_c3_beyond_the_end kind evaluate {
  %x = nn.input "x" : tensor<64xf32>
  // expected-error @below {{C3: @w has no slot of this size in @s}}
  %w = zero.slot %x, @s, @w : (tensor<64xf32>) -> tensor<8x8xf32>
}

// -----

zero.section @s kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>, #zero.slot<@v, 16>], ranks = 2 : i64}
nn.program @slot_c3_into_the_next kind evaluate {
  %x = nn.input "x" : tensor<64xf32>
  // expected-error @below {{C3: @w has no slot of this size in @s}}
  %w = zero.slot %x, @s, @w : (tensor<64xf32>) -> tensor<8x4xf32>
}

// -----

zero.section @s kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64}
nn.program @pack_c1_frozen kind evaluate {
  %x0 = nn.input "x0" : tensor<8x4xf32>
  // expected-error @below {{C1: @s is not a trainable zero.section}}
  %p = zero.pack @s, [@w] (%x0) : (tensor<8x4xf32>) -> tensor<64xf32>
}

// -----

zero.section @s kind trainable {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64}
nn.program @pack_c2_count kind evaluate {
  %x0 = nn.input "x0" : tensor<8x4xf32>
  // expected-error @below {{C2: needs one parameter for each operand}}
  %p = zero.pack @s, [@w, @v] (%x0) : (tensor<8x4xf32>) -> tensor<64xf32>
}

// -----

zero.section @s kind trainable {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64}
nn.program @pack_c2_not_there kind evaluate {
  %x0 = nn.input "x0" : tensor<8x4xf32>
  // expected-error @below {{C2: @v has no slot of this size in @s}}
  %p = zero.pack @s, [@v] (%x0) : (tensor<8x4xf32>) -> tensor<64xf32>
}

// -----

zero.section @s kind trainable {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>, #zero.slot<@v, 16>], ranks = 2 : i64}
nn.program @pack_c2_into_the_next kind evaluate {
  %x0 = nn.input "x0" : tensor<8x4xf32>
  // expected-error @below {{C2: @w has no slot of this size in @s}}
  %p = zero.pack @s, [@w] (%x0) : (tensor<8x4xf32>) -> tensor<64xf32>
}

// -----

zero.section @s kind trainable {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64}
nn.program @pack_c3_length kind evaluate {
  %x0 = nn.input "x0" : tensor<8x4xf32>
  // expected-error @below {{C3: the result must have the section's length, and all must be f32}}
  %p = zero.pack @s, [@w] (%x0) : (tensor<8x4xf32>) -> tensor<32xf32>
}

// -----

zero.section @s kind trainable {unit = 1 : i64, type = tensor<64xbf16>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64}
nn.program @pack_c3_bf16 kind evaluate {
  %x0 = nn.input "x0" : tensor<8x4xf32>
  // expected-error @below {{C3: the result must have the section's length, and all must be f32}}
  %p = zero.pack @s, [@w] (%x0) : (tensor<8x4xf32>) -> tensor<64xbf16>
}

// -----

zero.section @s kind trainable {unit = 1 : i64, type = tensor<64xbf16>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64}
nn.program @pack_c3_operand_bf16 kind evaluate {
  %x0 = nn.input "x0" : tensor<8x4xbf16>
  // expected-error @below {{C3: the result must have the section's length, and all must be f32}}
  %p = zero.pack @s, [@w] (%x0) : (tensor<8x4xbf16>) -> tensor<64xf32>
}

// -----

nn.program @all_gather_c1_length kind evaluate {
  %x = nn.input "x" : tensor<8xf32>
  // expected-error @below {{C1: promises 24 elements of 8 over 2 ranks}}
  %f = zero.all_gather %x {ranks = 2 : i64} : tensor<8xf32> -> !zero.future<tensor<24xf32>>
}

// -----

nn.program @all_gather_c1_no_ranks kind evaluate {
  %x = nn.input "x" : tensor<8xf32>
  // expected-error @below {{C1: promises 8 elements of 8 over 0 ranks}}
  %f = zero.all_gather %x {ranks = 0 : i64} : tensor<8xf32> -> !zero.future<tensor<8xf32>>
}

// -----

nn.program @all_gather_c2_elements kind evaluate {
  %x = nn.input "x" : tensor<8xf32>
  // expected-error @below {{C2: element types differ}}
  %f = zero.all_gather %x {ranks = 2 : i64} : tensor<8xf32> -> !zero.future<tensor<16xbf16>>
}

// -----

nn.program @reduce_scatter_c1_length kind evaluate {
  %x = nn.input "x" : tensor<8xf32>
  // expected-error @below {{C1: promises 8 elements of 8 over 2 ranks}}
  %f = zero.reduce_scatter %x {ranks = 2 : i64} : tensor<8xf32> -> !zero.future<tensor<8xf32>>
}

// -----

nn.program @reduce_scatter_c2_elements kind evaluate {
  %x = nn.input "x" : tensor<8xf32>
  // expected-error @below {{C2: element types differ or are not f32 or f64}}
  %f = zero.reduce_scatter %x {ranks = 2 : i64} : tensor<8xf32> -> !zero.future<tensor<4xf64>>
}

// -----

nn.program @reduce_scatter_c2_bf16 kind evaluate {
  %x = nn.input "x" : tensor<8xbf16>
  // expected-error @below {{C2: element types differ or are not f32 or f64}}
  %f = zero.reduce_scatter %x {ranks = 2 : i64} : tensor<8xbf16> -> !zero.future<tensor<4xbf16>>
}

// -----

nn.program @all_reduce_c1_length kind evaluate {
  %x = nn.input "x" : tensor<8xf32>
  // expected-error @below {{C1: promises 4 elements of 8 over 2 ranks}}
  %f = zero.all_reduce %x {ranks = 2 : i64} : tensor<8xf32> -> !zero.future<tensor<4xf32>>
}

// -----

nn.program @all_reduce_c2_bf16 kind evaluate {
  %x = nn.input "x" : tensor<8xbf16>
  // expected-error @below {{C2: element types differ or are not f32 or f64}}
  %f = zero.all_reduce %x {ranks = 2 : i64} : tensor<8xbf16> -> !zero.future<tensor<8xbf16>>
}

// -----

nn.program @wait_c1_type kind evaluate {
  %x = nn.input "x" : tensor<8xf32>
  %f = zero.all_reduce %x {ranks = 2 : i64} : tensor<8xf32> -> !zero.future<tensor<8xf32>>
  // expected-error @below {{C1: the result is not what the future promises}}
  %y = zero.wait %f : !zero.future<tensor<8xf32>> -> tensor<4xf32>
}

// -----

nn.program @fetch_c1_type kind evaluate {
  %x = nn.input "x" : tensor<64xf32>
  // expected-error @below {{C1: the future's tensor has another type than the source}}
  %f = zero.fetch %x : tensor<64xf32> -> !zero.future<tensor<32xf32>>
}

// -----

nn.program @offload_c1_type kind evaluate {
  %x = nn.input "x" : tensor<64xf32>
  // expected-error @below {{C1: the future's tensor has another type than the source}}
  %f = zero.offload %x {tier = 2 : i32} : tensor<64xf32> -> !zero.future<tensor<64xbf16>>
}

// -----

nn.program @offload_c2_device kind evaluate {
  %x = nn.input "x" : tensor<64xf32>
  // expected-error @below {{C2: the tier is the device}}
  %f = zero.offload %x {tier = 0 : i32} : tensor<64xf32> -> !zero.future<tensor<64xf32>>
}

// RUN: zp-opt %s | zp-opt | FileCheck %s
// RUN: zp-opt %s --mlir-print-op-generic | zp-opt | FileCheck %s
// Every op, attribute and type survives printing and parsing.

nn.parameter @w : tensor<8x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
nn.parameter @a : tensor<2x4xf32> initial zero {unit = 1 : i64, saved_as = "a", trainable}
nn.parameter @b : tensor<8xf32> initial zero {unit = 1 : i64, saved_as = "b", trainable}

// CHECK: zero.section @frozen kind frozen {ranks = 2 : i64, slots = [#zero.slot<@w, 0>], type = tensor<64xf32>, unit = 1 : i64, values_sharded}
zero.section @frozen kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, values_sharded}
// CHECK: zero.section @trainable kind trainable {decay_end = 16 : i64, gradient_sharded, optimizer_sharded, ranks = 2 : i64, slots = [#zero.slot<@a, 0>, #zero.slot<@b, 16>], type = tensor<32xbf16>, unit = 1 : i64}
zero.section @trainable kind trainable {unit = 1 : i64, type = tensor<32xbf16>, slots = [#zero.slot<@a, 0>, #zero.slot<@b, 16>], ranks = 2 : i64, decay_end = 16 : i64, gradient_sharded, optimizer_sharded}
// CHECK: zero.section @codes kind codes {{.*}}type = tensor<16384x!nf4.block<64>>
// The elements of a section may be of another dialect's type.
zero.section @codes kind codes {unit = 1 : i64, type = tensor<16384x!nf4.block<64>>, slots = [], ranks = 1 : i64}

// CHECK-LABEL: nn.program @init
nn.program @init kind init {
  // CHECK: zero.load @frozen
  zero.load @frozen
}

// CHECK-LABEL: nn.program @step
nn.program @step kind train_step {
  %da = nn.input "da" : tensor<2x4xf32>
  %db = nn.input "db" : tensor<8xf32>
  // CHECK: %[[V:.+]] = zero.values @frozen : tensor<32xf32>
  %v = zero.values @frozen : tensor<32xf32>
  // CHECK: %[[F:.+]] = zero.all_gather %[[V]] {nn.unit = 1 : i64, ranks = 2 : i64} : tensor<32xf32> -> <tensor<64xf32>>
  %f = zero.all_gather %v {ranks = 2 : i64, nn.unit = 1 : i64} : tensor<32xf32> -> !zero.future<tensor<64xf32>>
  // CHECK: %[[W:.+]] = zero.wait %[[F]] : <tensor<64xf32>> -> tensor<64xf32>
  %whole = zero.wait %f : !zero.future<tensor<64xf32>> -> tensor<64xf32>
  // CHECK: zero.slot %[[W]], @frozen, @w : (tensor<64xf32>) -> tensor<8x4xf32>
  %w = zero.slot %whole, @frozen, @w : (tensor<64xf32>) -> tensor<8x4xf32>
  // CHECK: %[[P:.+]] = zero.pack @trainable, [@a, @b](%{{.*}}, %{{.*}}) : (tensor<2x4xf32>, tensor<8xf32>) -> tensor<32xf32>
  %p = zero.pack @trainable, [@a, @b] (%da, %db) : (tensor<2x4xf32>, tensor<8xf32>) -> tensor<32xf32>
  // CHECK: zero.reduce_scatter %[[P]] {ranks = 2 : i64} : tensor<32xf32> -> <tensor<16xf32>>
  %r = zero.reduce_scatter %p {ranks = 2 : i64} : tensor<32xf32> -> !zero.future<tensor<16xf32>>
  %slice = zero.wait %r : !zero.future<tensor<16xf32>> -> tensor<16xf32>
  // CHECK: zero.accumulate_gradient @trainable, %{{.*}} : tensor<16xf32>
  zero.accumulate_gradient @trainable, %slice : tensor<16xf32>
}

// CHECK-LABEL: nn.program @update
nn.program @update kind apply_gradients {
  %scalars = nn.input "scalars" : tensor<64xi8>
  %coefficient = nn.input "coefficient" : tensor<1xf32>
  %loss = nn.input "loss" : tensor<1xf64>
  // CHECK: zero.all_reduce %{{.*}} {ranks = 2 : i64} : tensor<1xf64> -> <tensor<1xf64>>
  %f = zero.all_reduce %loss {ranks = 2 : i64} : tensor<1xf64> -> !zero.future<tensor<1xf64>>
  %all = zero.wait %f : !zero.future<tensor<1xf64>> -> tensor<1xf64>
  // CHECK: zero.gradient @trainable : tensor<16xf32>
  %g = zero.gradient @trainable : tensor<16xf32>
  // CHECK: zero.adamw @trainable, %{{.*}}, %{{.*}}, %{{.*}} {beta1 = 9.000000e-01 : f64, beta2 = 0.99899999999999999 : f64, epsilon = 1.000000e-08 : f64, weight_decay = 1.000000e-02 : f64} : (tensor<16xf32>, tensor<1xf32>, tensor<64xi8>) -> tensor<16xbf16>
  %new = zero.adamw @trainable, %g, %coefficient, %scalars {beta1 = 0.9 : f64, beta2 = 0.999 : f64, epsilon = 1.0e-8 : f64, weight_decay = 0.01 : f64} : (tensor<16xf32>, tensor<1xf32>, tensor<64xi8>) -> tensor<16xbf16>
  %gathering = zero.all_gather %new {ranks = 2 : i64} : tensor<16xbf16> -> !zero.future<tensor<32xbf16>>
  %values = zero.wait %gathering : !zero.future<tensor<32xbf16>> -> tensor<32xbf16>
  // CHECK: zero.store_values @trainable, %{{.*}} : tensor<32xbf16>
  zero.store_values @trainable, %values : tensor<32xbf16>
  // CHECK: zero.clear_gradient @trainable
  zero.clear_gradient @trainable
}

zero.section @away kind frozen {unit = 2 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, values_sharded, values_tier = 2 : i32}
// CHECK-LABEL: nn.program @transfers
nn.program @transfers kind evaluate {
  %v = zero.values @away : tensor<32xf32>
  // CHECK: %[[F:.+]] = zero.fetch %{{.*}} : tensor<32xf32> -> <tensor<32xf32>>
  %f = zero.fetch %v : tensor<32xf32> -> !zero.future<tensor<32xf32>>
  // What is on its way may be gathered.
  // CHECK: zero.all_gather %[[F]] {ranks = 2 : i64} : !zero.future<tensor<32xf32>> -> <tensor<64xf32>>
  %g = zero.all_gather %f {ranks = 2 : i64} : !zero.future<tensor<32xf32>> -> !zero.future<tensor<64xf32>>
  %w = zero.wait %g : !zero.future<tensor<64xf32>> -> tensor<64xf32>
  %x = nn.input "x" : tensor<4x8xf32>
  // CHECK: zero.offload %{{.*}} {tier = 3 : i32} : tensor<4x8xf32> -> <tensor<4x8xf32>>
  %o = zero.offload %x {tier = 3 : i32} : tensor<4x8xf32> -> !zero.future<tensor<4x8xf32>>
  %h = zero.wait %o : !zero.future<tensor<4x8xf32>> -> tensor<4x8xf32>
}

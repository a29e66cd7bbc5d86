// RUN: sed 's/SETTING/use_4bit_quantization = true/' %s > %t.on && sed 's/SETTING/use_4bit_quantization = true, use_nested_quant = true, bnb_4bit_quant_type = "fp4"/' %s > %t.fp4
// RUN: sed 's/SETTING/use_4bit_quantization = false/' %s | zp-opt --nf4-quantize-frozen-weights | FileCheck %s --check-prefix=OFF
// RUN: zp-opt %t.on --nf4-quantize-frozen-weights -o %t.after && FileCheck %s --input-file=%t.after
// RUN: zp-opt %t.fp4 --nf4-quantize-frozen-weights | FileCheck %s --check-prefix=FP4
// Where the weights start from numbers that 4 bits hold, nothing changes: so no weight but these was touched, and none twice.
// RUN: zp-interpret --compare %t.on %t.after
// RUN: sed 's/zp.settings = {/zp.settings = {use_4bit_quantization = true, use_nested_quant = true, /' %inputs/tiny-lora.mlir | zp-opt --nn-attach-adapters -o %t.tiny
// RUN: zp-opt %t.tiny --nf4-quantize-frozen-weights -o %t.tiny.after && zp-interpret --compare %t.tiny %t.tiny.after
// RUN: FileCheck %s --input-file=%t.tiny.after --check-prefix=TINY

// OFF-NOT: nf4.dequantize
// OFF-NOT: !nf4.block
// TINY-COUNT-14: nf4.dequantize
// TINY-NOT: nf4.dequantize

module attributes {zp.settings = {SETTING}} {
  // CHECK: nn.parameter @w : tensor<8x4x!nf4.block<64>> initial checkpoint
  // FP4: nn.parameter @w : tensor<8x4x!nf4.block<64, fp4, nested = 256>>
  nn.parameter @w : tensor<8x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
  // Skipped by name, trained, tied to a table: these stay.
  // CHECK-NEXT: nn.parameter @skipped : tensor<4x8xf32>
  nn.parameter @skipped : tensor<4x8xf32> initial checkpoint {unit = 1 : i64, checkpoint = "skipped"}
  // CHECK-NEXT: nn.parameter @trained : tensor<4x4xf32>
  nn.parameter @trained : tensor<4x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "trained", saved_as = "trained", trainable}
  // CHECK-NEXT: nn.parameter @tied : tensor<4x4xf32>
  nn.parameter @tied : tensor<4x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "tied"}
  // CHECK-NEXT: nn.parameter @head : tensor<5x4xf32>
  nn.parameter @head : tensor<5x4xf32> initial checkpoint {unit = 2 : i64, checkpoint = "head"}
  nn.state @loss_sum : tensor<1xf64>
  nn.program @train_step kind train_step attributes {rows = 2 : i64, length = 4 : i64} {
    %ids = nn.input "input_ids" : tensor<8xi32>
    %labels = nn.input "labels" : tensor<8xi32>
    %tied = nn.read @tied : tensor<4x4xf32>
    // CHECK: %[[Q:.+]] = nn.read @w {nn.unit = 1 : i64} : tensor<8x4x!nf4.block<64>>
    %w = nn.read @w {nn.unit = 1 : i64} : tensor<8x4xf32>
    %skipped = nn.read @skipped : tensor<4x8xf32>
    %trained = nn.read @trained : tensor<4x4xf32>
    %head = nn.read @head : tensor<5x4xf32>
    %e = nn.embedding %ids, %tied : (tensor<8xi32>, tensor<4x4xf32>) -> tensor<8x4xf32>
    // CHECK: %[[W:.+]] = nf4.dequantize %[[Q]] {nn.unit = 1 : i64} : (tensor<8x4x!nf4.block<64>>) -> tensor<8x4xf32>
    // CHECK-NEXT: nn.linear %{{.+}}, %[[W]] {
    %a = nn.linear %e, %w {nn.unit = 1 : i64} : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<8x8xf32>
    // CHECK-NEXT: nn.linear
    %b = nn.linear %a, %skipped {nf4.skip, nn.unit = 1 : i64} : (tensor<8x8xf32>, tensor<4x8xf32>) -> tensor<8x4xf32>
    // CHECK-NEXT: nn.linear
    %c = nn.linear %b, %trained {nn.unit = 1 : i64} : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
    // CHECK-NEXT: nn.linear
    %d = nn.linear %c, %tied {nn.unit = 1 : i64} : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
    %loss = nn.linear_cross_entropy %d, %head, %labels {chunk = 8 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<5x4xf32>, tensor<8xi32>) -> tensor<1xf64>
    nn.add_state @loss_sum, %loss : tensor<1xf64>
  }
}

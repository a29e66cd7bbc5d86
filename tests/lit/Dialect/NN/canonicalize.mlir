// RUN: zp-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: @scale_by_one
nn.program @scale_by_one kind evaluate {
  // CHECK-NEXT: %[[X:.+]] = nn.input
  %x = nn.input "x" : tensor<2x3xf32>
  %y = nn.scale %x {factor = 1.0 : f64} : tensor<2x3xf32>
  // CHECK-NEXT: nn.output "y", %[[X]]
  nn.output "y", %y : tensor<2x3xf32>
}

// CHECK-LABEL: @scale_by_two
nn.program @scale_by_two kind evaluate {
  %x = nn.input "x" : tensor<2x3xf32>
  // CHECK: nn.scale
  %y = nn.scale %x {factor = 2.0 : f64} : tensor<2x3xf32>
  nn.output "y", %y : tensor<2x3xf32>
}

// CHECK-LABEL: @cast_to_itself
nn.program @cast_to_itself kind evaluate {
  // CHECK-NEXT: %[[X:.+]] = nn.input
  %x = nn.input "x" : tensor<2x3xf32>
  %y = nn.cast %x : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK-NEXT: nn.output "y", %[[X]]
  nn.output "y", %y : tensor<2x3xf32>
}

// A round trip through bf16 rounds: it must stay.
// CHECK-LABEL: @cast_there_and_back
nn.program @cast_there_and_back kind evaluate {
  %x = nn.input "x" : tensor<2x3xf32>
  // CHECK: nn.cast
  %y = nn.cast %x : (tensor<2x3xf32>) -> tensor<2x3xbf16>
  // CHECK: nn.cast
  %z = nn.cast %y : (tensor<2x3xbf16>) -> tensor<2x3xf32>
  nn.output "z", %z : tensor<2x3xf32>
}

// CHECK-LABEL: @reshape_to_itself
nn.program @reshape_to_itself kind evaluate {
  // CHECK-NEXT: %[[X:.+]] = nn.input
  %x = nn.input "x" : tensor<2x3xf32>
  %y = nn.reshape %x : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK-NEXT: nn.output "y", %[[X]]
  nn.output "y", %y : tensor<2x3xf32>
}

// CHECK-LABEL: @reshape_of_reshape
nn.program @reshape_of_reshape kind evaluate {
  // CHECK-NEXT: %[[X:.+]] = nn.input
  %x = nn.input "x" : tensor<2x6xf32>
  %y = nn.reshape %x : (tensor<2x6xf32>) -> tensor<4x3xf32>
  // CHECK-NEXT: %[[Z:.+]] = nn.reshape %[[X]] : (tensor<2x6xf32>) -> tensor<12x1xf32>
  %z = nn.reshape %y : (tensor<4x3xf32>) -> tensor<12x1xf32>
  // CHECK-NEXT: nn.output "z", %[[Z]]
  nn.output "z", %z : tensor<12x1xf32>
}

// CHECK-LABEL: @reshape_back
nn.program @reshape_back kind evaluate {
  // CHECK-NEXT: %[[X:.+]] = nn.input
  %x = nn.input "x" : tensor<2x6xf32>
  %y = nn.reshape %x : (tensor<2x6xf32>) -> tensor<4x3xf32>
  %z = nn.reshape %y : (tensor<4x3xf32>) -> tensor<2x6xf32>
  // CHECK-NEXT: nn.output "z", %[[X]]
  nn.output "z", %z : tensor<2x6xf32>
}

// What has effects stays, what hasn't and isn't used goes.
// CHECK-LABEL: @effects
nn.program @effects kind evaluate {
  // CHECK-NEXT: %[[X:.+]] = nn.input
  %x = nn.input "x" : tensor<2x3xf32>
  %y = nn.add %x, %x : tensor<2x3xf32>
  // CHECK-NEXT: nn.store_state @kept, %[[X]]
  nn.store_state @kept, %x : tensor<2x3xf32>
  // CHECK-NEXT: }
}
nn.state @kept : tensor<2x3xf32>

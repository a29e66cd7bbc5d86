// RUN: zp-opt %s --split-input-file --verify-diagnostics
// One program for each numbered constraint, named op_cN_what: see the Constraints of the description.

// expected-error @below {{C1: the block size is 48, expected a power of two from 32 to 4096}}
nn.parameter @block_of_48 : tensor<64x32x!nf4.block<48>> initial checkpoint {unit = 1 : i64, checkpoint = "w"}

// -----

// expected-error @below {{C1: the block size is 16, expected}}
nn.parameter @block_of_16 : tensor<64x32x!nf4.block<16>> initial checkpoint {unit = 1 : i64, checkpoint = "w"}

// -----

// expected-error @below {{C1: the block size is 8192, expected}}
nn.parameter @block_of_8192 : tensor<64x32x!nf4.block<8192>> initial checkpoint {unit = 1 : i64, checkpoint = "w"}

// -----

// expected-error @below {{C2: nested is 128, expected 256 or nothing}}
nn.parameter @nested_of_128 : tensor<64x32x!nf4.block<64, nested = 128>> initial checkpoint {unit = 1 : i64, checkpoint = "w"}

// -----

nn.program @quantize_c1_shape kind evaluate {
  %x = nn.input "x" : tensor<16x32xf32>
  // expected-error @below {{C1: the shapes differ}}
  %q = nf4.quantize %x : (tensor<16x32xf32>) -> tensor<32x16x!nf4.block<64>>
}

// -----

nn.program @dequantize_c1_shape kind evaluate {
  %w = nn.input "w" : tensor<64x32x!nf4.block<64>>
  // expected-error @below {{C1: the shapes differ}}
  %q = nf4.dequantize %w : (tensor<64x32x!nf4.block<64>>) -> tensor<32x64xf32>
}

// -----

nn.program @linear_c1_k kind evaluate {
  %g = nn.input "g" : tensor<16x64xf32>
  %w = nn.input "w" : tensor<64x32x!nf4.block<64>>
  // expected-error @below {{C1: x has 64 columns, the weight 32}}
  %y = nf4.linear %g, %w : (tensor<16x64xf32>, tensor<64x32x!nf4.block<64>>) -> tensor<16x64xf32>
}

// -----

nn.program @linear_c2_n kind evaluate {
  %x = nn.input "x" : tensor<16x32xf32>
  %w = nn.input "w" : tensor<64x32x!nf4.block<64>>
  // expected-error @below {{C2: the weight has 64 rows; bias and result need as many columns}}
  %y = nf4.linear %x, %w : (tensor<16x32xf32>, tensor<64x32x!nf4.block<64>>) -> tensor<16x32xf32>
}

// -----

nn.program @linear_c2_bias kind evaluate {
  %x = nn.input "x" : tensor<16x32xf32>
  %w = nn.input "w" : tensor<64x32x!nf4.block<64>>
  %b = nn.input "b" : tensor<32xf32>
  // expected-error @below {{C2: the weight has 64 rows}}
  %y = nf4.linear %x, %w bias %b : (tensor<16x32xf32>, tensor<64x32x!nf4.block<64>>, tensor<32xf32>) -> tensor<16x64xf32>
}

// -----

nn.program @linear_c3_t kind evaluate {
  %x = nn.input "x" : tensor<16x32xf32>
  %w = nn.input "w" : tensor<64x32x!nf4.block<64>>
  // expected-error @below {{C3: x has 16 rows}}
  %y = nf4.linear %x, %w : (tensor<16x32xf32>, tensor<64x32x!nf4.block<64>>) -> tensor<8x64xf32>
}

// -----

nn.program @linear_c3_addend kind evaluate {
  %x = nn.input "x" : tensor<16x32xf32>
  %w = nn.input "w" : tensor<64x32x!nf4.block<64>>
  %a = nn.input "a" : tensor<8x64xf32>
  // expected-error @below {{C3: x has 16 rows}}
  %y = nf4.linear %x, %w addend %a : (tensor<16x32xf32>, tensor<64x32x!nf4.block<64>>, tensor<8x64xf32>) -> tensor<16x64xf32>
}

// -----

nn.program @linear_c4_type kind evaluate {
  %x = nn.input "x" : tensor<16x32xf32>
  %w = nn.input "w" : tensor<64x32x!nf4.block<64>>
  // expected-error @below {{C4: x, bias, addend and result need one element type}}
  %y = nf4.linear %x, %w : (tensor<16x32xf32>, tensor<64x32x!nf4.block<64>>) -> tensor<16x64xbf16>
}

// -----

nn.program @linear_c4_bias kind evaluate {
  %x = nn.input "x" : tensor<16x32xf32>
  %w = nn.input "w" : tensor<64x32x!nf4.block<64>>
  %b = nn.input "b" : tensor<64xbf16>
  // expected-error @below {{C4: x, bias, addend and result need one element type}}
  %y = nf4.linear %x, %w bias %b : (tensor<16x32xf32>, tensor<64x32x!nf4.block<64>>, tensor<64xbf16>) -> tensor<16x64xf32>
}

// -----

nn.program @linear_input_gradient_c1_n kind evaluate {
  %x = nn.input "x" : tensor<16x32xf32>
  %w = nn.input "w" : tensor<64x32x!nf4.block<64>>
  // expected-error @below {{C1: the gradient has 32 columns, the weight 64 rows}}
  %y = nf4.linear_input_gradient %x, %w : (tensor<16x32xf32>, tensor<64x32x!nf4.block<64>>) -> tensor<16x32xf32>
}

// -----

nn.program @linear_input_gradient_c2_k kind evaluate {
  %g = nn.input "g" : tensor<16x64xf32>
  %w = nn.input "w" : tensor<64x32x!nf4.block<64>>
  // expected-error @below {{C2: the result has 64 columns, the weight 32}}
  %y = nf4.linear_input_gradient %g, %w : (tensor<16x64xf32>, tensor<64x32x!nf4.block<64>>) -> tensor<16x64xf32>
}

// -----

nn.program @linear_input_gradient_c3_t kind evaluate {
  %g = nn.input "g" : tensor<16x64xf32>
  %w = nn.input "w" : tensor<64x32x!nf4.block<64>>
  // expected-error @below {{C3: the gradient has 16 rows}}
  %y = nf4.linear_input_gradient %g, %w : (tensor<16x64xf32>, tensor<64x32x!nf4.block<64>>) -> tensor<8x32xf32>
}

// -----

nn.program @linear_input_gradient_c3_addend kind evaluate {
  %g = nn.input "g" : tensor<16x64xf32>
  %w = nn.input "w" : tensor<64x32x!nf4.block<64>>
  %a = nn.input "a" : tensor<16x64xf32>
  // expected-error @below {{C3: the gradient has 16 rows}}
  %y = nf4.linear_input_gradient %g, %w addend %a : (tensor<16x64xf32>, tensor<64x32x!nf4.block<64>>, tensor<16x64xf32>) -> tensor<16x32xf32>
}

// -----

nn.program @linear_input_gradient_c4_type kind evaluate {
  %g = nn.input "g" : tensor<16x64xf32>
  %w = nn.input "w" : tensor<64x32x!nf4.block<64>>
  // expected-error @below {{C4: gradient, addend and result need one element type}}
  %y = nf4.linear_input_gradient %g, %w : (tensor<16x64xf32>, tensor<64x32x!nf4.block<64>>) -> tensor<16x32xbf16>
}

// -----

nn.program @linear_c5_branch kind evaluate {
  %x = nn.input "x" : tensor<16x32xf32>
  %w = nn.input "w" : tensor<64x32x!nf4.block<64>>
  %b = nn.input "b" : tensor<64x16xf32>
  // expected-error @below {{C5: the branch's shapes do not give the result's, 'tensor<16x64xf32>'}}
  %y = nf4.linear %x, %w branch %x, %b : (tensor<16x32xf32>, tensor<64x32x!nf4.block<64>>, tensor<16x32xf32>, tensor<64x16xf32>) -> tensor<16x64xf32>
}

// -----

nn.program @linear_input_gradient_c5_branch kind evaluate {
  %g = nn.input "g" : tensor<16x64xf32>
  %w = nn.input "w" : tensor<64x32x!nf4.block<64>>
  // expected-error @below {{C5: the branch's shapes do not give the result's, 'tensor<16x32xf32>'}}
  %y = nf4.linear_input_gradient %g, %w branch %g, %g : (tensor<16x64xf32>, tensor<64x32x!nf4.block<64>>, tensor<16x64xf32>, tensor<16x64xf32>) -> tensor<16x32xf32>
}

// -----

nn.program @linear_c4_branch kind evaluate {
  %x = nn.input "x" : tensor<16x32xf32>
  %w = nn.input "w" : tensor<64x32x!nf4.block<64>>
  %h = nn.input "h" : tensor<16x8xbf16>
  %b = nn.input "b" : tensor<64x8xbf16>
  // expected-error @below {{C4: the branch and the result need one element type}}
  %y = nf4.linear %x, %w branch %h, %b : (tensor<16x32xf32>, tensor<64x32x!nf4.block<64>>, tensor<16x8xbf16>, tensor<64x8xbf16>) -> tensor<16x64xf32>
}

// RUN: zp-opt %s --split-input-file --verify-diagnostics --allow-unregistered-dialect
// One program for each numbered constraint, named op_cN_what: see the Constraints of the op's description.

// expected-error @below {{C1: needs `checkpoint` exactly when initial is checkpoint}}
nn.parameter @parameter_c1_checkpoint_missing : tensor<4xf32> initial checkpoint {unit = 1 : i64}

// -----

// expected-error @below {{C1: needs `checkpoint` exactly when initial is checkpoint}}
nn.parameter @parameter_c1_checkpoint_of_zero : tensor<4xf32> initial zero {unit = 1 : i64, checkpoint = "w"}

// -----

// expected-error @below {{C2: a trainable parameter needs `saved_as` and f32 elements}}
nn.parameter @parameter_c2_not_saved : tensor<4xf32> initial zero {unit = 1 : i64, trainable}

// -----

// expected-error @below {{C2: a trainable parameter needs `saved_as` and f32 elements}}
nn.parameter @parameter_c2_bf16_master : tensor<4xbf16> initial zero {unit = 1 : i64, saved_as = "w", trainable}

// -----

// expected-error @below {{C3: `bound` must be positive for uniform and normal values}}
nn.parameter @parameter_c3_uniform_without_bound : tensor<4xf32> initial uniform {unit = 1 : i64}

// -----

// expected-error @below {{C3: `bound` must be positive for uniform and normal values}}
nn.parameter @parameter_c3_normal_without_bound : tensor<4xf32> initial normal {unit = 1 : i64}

// -----

nn.program @read_c1_no_parameter kind evaluate {
  // expected-error @below {{C1: @nobody is not an nn.parameter}}
  %v = nn.read @nobody : tensor<4xf32>
}

// -----

nn.state @s : tensor<4xf32>
nn.program @read_c1_a_state kind evaluate {
  // expected-error @below {{C1: @s is not an nn.parameter}}
  %v = nn.read @s : tensor<4xf32>
}

// -----

// expected-note @below {{parameter declared here}}
nn.parameter @w : tensor<6x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
nn.program @read_c2_shape kind evaluate {
  // expected-error @below {{C2: has type 'tensor<4x6xf32>', the parameter has 'tensor<6x4xf32>'}}
  %v = nn.read @w : tensor<4x6xf32>
}

// -----

nn.parameter @w : tensor<6x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
nn.program @accumulate_gradient_c1_frozen kind evaluate {
  %g = nn.input "g" : tensor<6x4xf32>
  // expected-error @below {{C1: @w is not a trainable nn.parameter}}
  nn.accumulate_gradient @w, %g : tensor<6x4xf32>
}

// -----

// expected-note @below {{parameter declared here}}
nn.parameter @w : tensor<6x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w", saved_as = "w", trainable}
nn.program @accumulate_gradient_c2_bf16 kind evaluate {
  %g = nn.input "g" : tensor<6x4xbf16>
  // expected-error @below {{C2: has type 'tensor<6x4xbf16>'}}
  nn.accumulate_gradient @w, %g : tensor<6x4xbf16>
}

// -----

nn.parameter @w : tensor<6x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
nn.program @gradient_c1_frozen kind evaluate {
  // expected-error @below {{C1: @w is not a trainable nn.parameter}}
  %g = nn.gradient @w : tensor<6x4xf32>
}

// -----

// expected-note @below {{parameter declared here}}
nn.parameter @w : tensor<6x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w", saved_as = "w", trainable}
nn.program @gradient_c2_shape kind evaluate {
  // expected-error @below {{C2: has type 'tensor<6x3xf32>'}}
  %g = nn.gradient @w : tensor<6x3xf32>
}

// -----

nn.parameter @w : tensor<6x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
nn.program @clear_gradient_c1_frozen kind evaluate {
  // expected-error @below {{C1: @w is not a trainable nn.parameter}}
  nn.clear_gradient @w
}

// -----

nn.parameter @w : tensor<6x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
nn.program @adamw_c1_frozen kind evaluate {
  %g = nn.input "g" : tensor<6x4xf32>
  %c = nn.input "c" : tensor<1xf32>
  %s = nn.input "s" : tensor<64xi8>
  // expected-error @below {{C1: @w is not a trainable nn.parameter}}
  nn.adamw @w, %g, %c, %s {beta1 = 0.9 : f64, beta2 = 0.999 : f64, epsilon = 1.0e-8 : f64, weight_decay = 0.0 : f64} : tensor<6x4xf32>, tensor<1xf32>, tensor<64xi8>
}

// -----

// expected-note @below {{parameter declared here}}
nn.parameter @w : tensor<6x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w", saved_as = "w", trainable}
nn.program @adamw_c2_shape kind evaluate {
  %g = nn.input "g" : tensor<4x6xf32>
  %c = nn.input "c" : tensor<1xf32>
  %s = nn.input "s" : tensor<64xi8>
  // expected-error @below {{C2: has type 'tensor<4x6xf32>'}}
  nn.adamw @w, %g, %c, %s {beta1 = 0.9 : f64, beta2 = 0.999 : f64, epsilon = 1.0e-8 : f64, weight_decay = 0.0 : f64} : tensor<4x6xf32>, tensor<1xf32>, tensor<64xi8>
}

// -----

nn.program @load_state_c1_no_state kind evaluate {
  // expected-error @below {{C1: @s is not an nn.state}}
  %v = nn.load_state @s : tensor<4xf32>
}

// -----

// expected-note @below {{state declared here}}
nn.state @s : tensor<5xf32>
nn.program @load_state_c2_type kind evaluate {
  // expected-error @below {{C2: has type 'tensor<4xf32>', the state has 'tensor<5xf32>'}}
  %v = nn.load_state @s : tensor<4xf32>
}

// -----

nn.program @store_state_c1_no_state kind evaluate {
  %x = nn.input "x" : tensor<4xf32>
  // expected-error @below {{C1: @s is not an nn.state}}
  nn.store_state @s, %x : tensor<4xf32>
}

// -----

// expected-note @below {{state declared here}}
nn.state @s : tensor<5xf32>
nn.program @store_state_c2_type kind evaluate {
  %x = nn.input "x" : tensor<4xf32>
  // expected-error @below {{C2: has type 'tensor<4xf32>', the state has 'tensor<5xf32>'}}
  nn.store_state @s, %x : tensor<4xf32>
}

// -----

nn.program @add_state_c1_no_state kind evaluate {
  %x = nn.input "x" : tensor<4xf32>
  // expected-error @below {{C1: @s is not an nn.state}}
  nn.add_state @s, %x : tensor<4xf32>
}

// -----

// expected-note @below {{state declared here}}
nn.state @s : tensor<5xf32>
nn.program @add_state_c2_type kind evaluate {
  %x = nn.input "x" : tensor<4xf32>
  // expected-error @below {{C2: has type 'tensor<4xf32>', the state has 'tensor<5xf32>'}}
  nn.add_state @s, %x : tensor<4xf32>
}

// -----

nn.program @clear_state_c1_no_state kind evaluate {
  // expected-error @below {{C1: @s is not an nn.state}}
  nn.clear_state @s
}

// -----

nn.program @linear_c1_columns kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<6x5xf32>
  // expected-error @below {{C1: x and weight differ in columns}}
  %y = nn.linear %x, %w : (tensor<8x4xf32>, tensor<6x5xf32>) -> tensor<8x6xf32>
}

// -----

nn.program @linear_c2_result kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<6x4xf32>
  // expected-error @below {{C2: weight's rows, bias and the result's columns differ}}
  %y = nn.linear %x, %w : (tensor<8x4xf32>, tensor<6x4xf32>) -> tensor<8x7xf32>
}

// -----

nn.program @linear_c2_bias kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<6x4xf32>
  %b = nn.input "b" : tensor<5xf32>
  // expected-error @below {{C2: weight's rows, bias and the result's columns differ}}
  %y = nn.linear %x, %w bias %b : (tensor<8x4xf32>, tensor<6x4xf32>, tensor<5xf32>) -> tensor<8x6xf32>
}

// -----

nn.program @linear_c3_result kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<6x4xf32>
  // expected-error @below {{C3: x, addend and the result differ in rows}}
  %y = nn.linear %x, %w : (tensor<8x4xf32>, tensor<6x4xf32>) -> tensor<7x6xf32>
}

// -----

nn.program @linear_c3_addend kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<6x4xf32>
  %a = nn.input "a" : tensor<7x6xf32>
  // expected-error @below {{C3: x, addend and the result differ in rows}}
  %y = nn.linear %x, %w addend %a : (tensor<8x4xf32>, tensor<6x4xf32>, tensor<7x6xf32>) -> tensor<8x6xf32>
}

// -----

nn.program @linear_c4_weight kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<6x4xbf16>
  // expected-error @below {{C4: element types differ}}
  %y = nn.linear %x, %w : (tensor<8x4xf32>, tensor<6x4xbf16>) -> tensor<8x6xf32>
}

// -----

nn.program @linear_c4_bias kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<6x4xf32>
  %b = nn.input "b" : tensor<6xbf16>
  // expected-error @below {{C4: element types differ}}
  %y = nn.linear %x, %w bias %b : (tensor<8x4xf32>, tensor<6x4xf32>, tensor<6xbf16>) -> tensor<8x6xf32>
}

// -----

nn.program @linear_c5_half kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<6x4xf32>
  // expected-error @below {{C5: the branch's shapes do not give the result's}}
  %y = "nn.linear"(%x, %w, %x) <{operandSegmentSizes = array<i32: 1, 1, 0, 0, 1, 0>}> : (tensor<8x4xf32>, tensor<6x4xf32>, tensor<8x4xf32>) -> tensor<8x6xf32>
}

// -----

nn.program @linear_c5_shapes kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<6x4xf32>
  %b = nn.input "b" : tensor<6x3xf32>
  // expected-error @below {{C5: the branch's shapes do not give the result's}}
  %y = nn.linear %x, %w branch %x, %b : (tensor<8x4xf32>, tensor<6x4xf32>, tensor<8x4xf32>, tensor<6x3xf32>) -> tensor<8x6xf32>
}

// -----

nn.program @linear_c4_branch kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<6x4xf32>
  %h = nn.input "h" : tensor<8x4xbf16>
  // expected-error @below {{C4: element types differ}}
  %y = nn.linear %x, %w branch %h, %w : (tensor<8x4xf32>, tensor<6x4xf32>, tensor<8x4xbf16>, tensor<6x4xf32>) -> tensor<8x6xf32>
}

// -----

nn.program @linear_input_gradient_c1_inner kind evaluate {
  %g = nn.input "g" : tensor<8x5xf32>
  %w = nn.input "w" : tensor<6x4xf32>
  // expected-error @below {{C1: gradient's columns and weight's rows differ}}
  %y = nn.linear_input_gradient %g, %w : (tensor<8x5xf32>, tensor<6x4xf32>) -> tensor<8x4xf32>
}

// -----

nn.program @linear_input_gradient_c2_columns kind evaluate {
  %g = nn.input "g" : tensor<8x6xf32>
  %w = nn.input "w" : tensor<6x4xf32>
  // expected-error @below {{C2: weight and result differ in columns}}
  %y = nn.linear_input_gradient %g, %w : (tensor<8x6xf32>, tensor<6x4xf32>) -> tensor<8x5xf32>
}

// -----

nn.program @linear_input_gradient_c3_rows kind evaluate {
  %g = nn.input "g" : tensor<8x6xf32>
  %w = nn.input "w" : tensor<6x4xf32>
  // expected-error @below {{C3: gradient, addend and the result differ in rows}}
  %y = nn.linear_input_gradient %g, %w : (tensor<8x6xf32>, tensor<6x4xf32>) -> tensor<7x4xf32>
}

// -----

nn.program @linear_input_gradient_c3_addend kind evaluate {
  %g = nn.input "g" : tensor<8x6xf32>
  %w = nn.input "w" : tensor<6x4xf32>
  %a = nn.input "a" : tensor<8x5xf32>
  // expected-error @below {{C3: gradient, addend and the result differ in rows}}
  %y = nn.linear_input_gradient %g, %w addend %a : (tensor<8x6xf32>, tensor<6x4xf32>, tensor<8x5xf32>) -> tensor<8x4xf32>
}

// -----

nn.program @linear_input_gradient_c4_elements kind evaluate {
  %g = nn.input "g" : tensor<8x6xf32>
  %w = nn.input "w" : tensor<6x4xf32>
  // expected-error @below {{C4: element types differ}}
  %y = nn.linear_input_gradient %g, %w : (tensor<8x6xf32>, tensor<6x4xf32>) -> tensor<8x4xbf16>
}

// -----

nn.program @linear_input_gradient_c5_branch kind evaluate {
  %g = nn.input "g" : tensor<8x6xf32>
  %w = nn.input "w" : tensor<6x4xf32>
  // expected-error @below {{C5: the branch's shapes do not give the result's}}
  %y = nn.linear_input_gradient %g, %w branch %g, %g : (tensor<8x6xf32>, tensor<6x4xf32>, tensor<8x6xf32>, tensor<8x6xf32>) -> tensor<8x4xf32>
}

// -----

nn.program @linear_weight_gradient_c1_rows kind evaluate {
  %a = nn.input "a" : tensor<8x6xf32>
  %b = nn.input "b" : tensor<7x4xf32>
  // expected-error @below {{C1: gradient and x differ in rows}}
  %y = nn.linear_weight_gradient %a, %b : (tensor<8x6xf32>, tensor<7x4xf32>) -> tensor<6x4xf32>
}

// -----

nn.program @linear_weight_gradient_c2_transposed kind evaluate {
  %a = nn.input "a" : tensor<8x6xf32>
  %b = nn.input "b" : tensor<8x4xf32>
  // expected-error @below {{C2: the result must be f32 [gradient's columns, x's columns]}}
  %y = nn.linear_weight_gradient %a, %b : (tensor<8x6xf32>, tensor<8x4xf32>) -> tensor<4x6xf32>
}

// -----

nn.program @linear_weight_gradient_c2_bf16 kind evaluate {
  %a = nn.input "a" : tensor<8x6xbf16>
  %b = nn.input "b" : tensor<8x4xbf16>
  // expected-error @below {{C2: the result must be f32}}
  %y = nn.linear_weight_gradient %a, %b : (tensor<8x6xbf16>, tensor<8x4xbf16>) -> tensor<6x4xbf16>
}

// -----

nn.program @linear_weight_gradient_c3_elements kind evaluate {
  %a = nn.input "a" : tensor<8x6xf32>
  %b = nn.input "b" : tensor<8x4xbf16>
  // expected-error @below {{C3: element types differ}}
  %y = nn.linear_weight_gradient %a, %b : (tensor<8x6xf32>, tensor<8x4xbf16>) -> tensor<6x4xf32>
}

// -----

nn.program @column_sum_c1_length kind evaluate {
  %a = nn.input "a" : tensor<8x6xf32>
  // expected-error @below {{C1: the result must be f32 [source's columns]}}
  %y = nn.column_sum %a : (tensor<8x6xf32>) -> tensor<5xf32>
}

// -----

nn.program @column_sum_c1_bf16 kind evaluate {
  %a = nn.input "a" : tensor<8x6xbf16>
  // expected-error @below {{C1: the result must be f32 [source's columns]}}
  %y = nn.column_sum %a : (tensor<8x6xbf16>) -> tensor<6xbf16>
}

// -----

nn.program @embedding_c1_rows kind evaluate {
  %a = nn.input "a" : tensor<8xi32>
  %b = nn.input "b" : tensor<9x4xf32>
  // expected-error @below {{C1: ids and the result differ in rows}}
  %y = nn.embedding %a, %b : (tensor<8xi32>, tensor<9x4xf32>) -> tensor<7x4xf32>
}

// -----

nn.program @embedding_c2_columns kind evaluate {
  %a = nn.input "a" : tensor<8xi32>
  %b = nn.input "b" : tensor<9x4xf32>
  // expected-error @below {{C2: table and the result differ in columns}}
  %y = nn.embedding %a, %b : (tensor<8xi32>, tensor<9x4xf32>) -> tensor<8x5xf32>
}

// -----

nn.program @embedding_c3_elements kind evaluate {
  %a = nn.input "a" : tensor<8xi32>
  %b = nn.input "b" : tensor<9x4xf32>
  // expected-error @below {{C3: element types differ}}
  %y = nn.embedding %a, %b : (tensor<8xi32>, tensor<9x4xf32>) -> tensor<8x4xbf16>
}

// -----

nn.program @embedding_c5_padding kind evaluate {
  %a = nn.input "a" : tensor<8xi32>
  %b = nn.input "b" : tensor<9x4xf32>
  // expected-error @below {{C5: padding is neither -1 nor an id of the table}}
  %y = nn.embedding %a, %b {offset = 2 : i64, padding = 7 : i64} : (tensor<8xi32>, tensor<9x4xf32>) -> tensor<8x4xf32>
}

// -----

nn.program @embedding_gradient_c4_padding kind evaluate {
  %a = nn.input "a" : tensor<8xi32>
  %b = nn.input "b" : tensor<8x4xf32>
  // expected-error @below {{C4: padding is neither -1 nor an id of the table}}
  %y = nn.embedding_gradient %a, %b {padding = -2 : i64} : (tensor<8xi32>, tensor<8x4xf32>) -> tensor<9x4xf32>
}

// -----

nn.program @embedding_gradient_c1_rows kind evaluate {
  %a = nn.input "a" : tensor<8xi32>
  %b = nn.input "b" : tensor<7x4xf32>
  // expected-error @below {{C1: ids and gradient differ in rows}}
  %y = nn.embedding_gradient %a, %b : (tensor<8xi32>, tensor<7x4xf32>) -> tensor<9x4xf32>
}

// -----

nn.program @embedding_gradient_c2_columns kind evaluate {
  %a = nn.input "a" : tensor<8xi32>
  %b = nn.input "b" : tensor<8x4xf32>
  // expected-error @below {{C2: the result must be f32 [V, gradient's columns]}}
  %y = nn.embedding_gradient %a, %b : (tensor<8xi32>, tensor<8x4xf32>) -> tensor<9x5xf32>
}

// -----

nn.program @cast_c1_shape kind evaluate {
  %x = nn.input "x" : tensor<2x3xf32>
  // expected-error @below {{C1: shapes differ}}
  %y = nn.cast %x : (tensor<2x3xf32>) -> tensor<3x2xbf16>
}

// -----

nn.program @reshape_c1_count kind evaluate {
  %x = nn.input "x" : tensor<2x3xf32>
  // expected-error @below {{C1: element types or counts differ}}
  %y = nn.reshape %x : (tensor<2x3xf32>) -> tensor<2x4xf32>
}

// -----

nn.program @reshape_c1_elements kind evaluate {
  %x = nn.input "x" : tensor<2x3xf32>
  // expected-error @below {{C1: element types or counts differ}}
  %y = nn.reshape %x : (tensor<2x3xf32>) -> tensor<3x2xbf16>
}

// -----

nn.program @dropout_c1_type kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %s = nn.input "s" : tensor<64xi8>
  // expected-error @below {{C1: x and the result differ in type}}
  %y = nn.dropout %x, %s {probability = 0.1 : f64, site = 0 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<64xi8>) -> tensor<8x5xf32>
}

// -----

nn.program @dropout_c2_length kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %s = nn.input "s" : tensor<64xi8>
  // expected-error @below {{C2: length does not divide the rows}}
  %y = nn.dropout %x, %s {probability = 0.1 : f64, site = 0 : i64, length = 3 : i64} : (tensor<8x4xf32>, tensor<64xi8>) -> tensor<8x4xf32>
}

// -----

nn.program @dropout_c2_no_length kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %s = nn.input "s" : tensor<64xi8>
  // expected-error @below {{C2: length does not divide the rows}}
  %y = nn.dropout %x, %s {probability = 0.1 : f64, site = 0 : i64, length = 0 : i64} : (tensor<8x4xf32>, tensor<64xi8>) -> tensor<8x4xf32>
}

// -----

nn.program @dropout_c3_one kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %s = nn.input "s" : tensor<64xi8>
  // expected-error @below {{C3: probability must be in [0, 1)}}
  %y = nn.dropout %x, %s {probability = 1.0 : f64, site = 0 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<64xi8>) -> tensor<8x4xf32>
}

// -----

nn.program @dropout_c3_negative kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %s = nn.input "s" : tensor<64xi8>
  // expected-error @below {{C3: probability must be in [0, 1)}}
  %y = nn.dropout %x, %s {probability = -0.1 : f64, site = 0 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<64xi8>) -> tensor<8x4xf32>
}

// -----

nn.program @rows_c1_columns kind evaluate {
  %a = nn.input "a" : tensor<8x4xf32>
  %b = nn.input "b" : tensor<64xi8>
  // expected-error @below {{C1: x and the result differ in element type or columns}}
  %y = nn.rows %a, %b : (tensor<8x4xf32>, tensor<64xi8>) -> tensor<3x5xf32>
}

// -----

nn.program @rows_c1_elements kind evaluate {
  %a = nn.input "a" : tensor<8x4xf32>
  %b = nn.input "b" : tensor<64xi8>
  // expected-error @below {{C1: x and the result differ in element type or columns}}
  %y = nn.rows %a, %b : (tensor<8x4xf32>, tensor<64xi8>) -> tensor<3x4xbf16>
}

// -----

nn.program @layer_norm_c1_bias kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<4xf32>
  %b = nn.input "b" : tensor<5xf32>
  // expected-error @below {{C1: x, weight, bias and the result differ in columns}}
  %y, %mean, %rstd = nn.layer_norm %x, %w, %b {epsilon = 1.0e-5 : f64} : (tensor<8x4xf32>, tensor<4xf32>, tensor<5xf32>) -> (tensor<8x4xf32>, tensor<8xf32>, tensor<8xf32>)
}

// -----

nn.program @layer_norm_c1_result kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<4xf32>
  %b = nn.input "b" : tensor<4xf32>
  // expected-error @below {{C1: x, weight, bias and the result differ in columns}}
  %y, %mean, %rstd = nn.layer_norm %x, %w, %b {epsilon = 1.0e-5 : f64} : (tensor<8x4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<8x5xf32>, tensor<8xf32>, tensor<8xf32>)
}

// -----

nn.program @layer_norm_c2_mean kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<4xf32>
  %b = nn.input "b" : tensor<4xf32>
  // expected-error @below {{C2: x, the result, mean and rstd differ in rows, or mean or rstd is not f32}}
  %y, %mean, %rstd = nn.layer_norm %x, %w, %b {epsilon = 1.0e-5 : f64} : (tensor<8x4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<8x4xf32>, tensor<7xf32>, tensor<8xf32>)
}

// -----

nn.program @layer_norm_c2_rstd_bf16 kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<4xf32>
  %b = nn.input "b" : tensor<4xf32>
  // expected-error @below {{C2: x, the result, mean and rstd differ in rows, or mean or rstd is not f32}}
  %y, %mean, %rstd = nn.layer_norm %x, %w, %b {epsilon = 1.0e-5 : f64} : (tensor<8x4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<8x4xf32>, tensor<8xf32>, tensor<8xbf16>)
}

// -----

nn.program @layer_norm_c3_elements kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<4xf32>
  %b = nn.input "b" : tensor<4xbf16>
  // expected-error @below {{C3: element types differ}}
  %y, %mean, %rstd = nn.layer_norm %x, %w, %b {epsilon = 1.0e-5 : f64} : (tensor<8x4xf32>, tensor<4xf32>, tensor<4xbf16>) -> (tensor<8x4xf32>, tensor<8xf32>, tensor<8xf32>)
}

// -----

nn.program @layer_norm_c4_epsilon kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<4xf32>
  %b = nn.input "b" : tensor<4xf32>
  // expected-error @below {{C4: epsilon must be positive}}
  %y, %mean, %rstd = nn.layer_norm %x, %w, %b {epsilon = 0.0 : f64} : (tensor<8x4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<8x4xf32>, tensor<8xf32>, tensor<8xf32>)
}

// -----

nn.program @layer_norm_gradient_c1_gradient kind evaluate {
  %g = nn.input "g" : tensor<8x5xf32>
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<4xf32>
  %m = nn.input "m" : tensor<8xf32>
  %r = nn.input "r" : tensor<8xf32>
  // expected-error @below {{C1: gradient, x, residual and the result differ in type}}
  %y, %dw, %db = nn.layer_norm_gradient %g, %x, %w, %m, %r {resultSegmentSizes = array<i32: 1, 1, 1>} : (tensor<8x5xf32>, tensor<8x4xf32>, tensor<4xf32>, tensor<8xf32>, tensor<8xf32>) -> (tensor<8x4xf32>, tensor<4xf32>, tensor<4xf32>)
}

// -----

nn.program @layer_norm_gradient_c2_mean kind evaluate {
  %g = nn.input "g" : tensor<8x4xf32>
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<4xf32>
  %m = nn.input "m" : tensor<7xf32>
  %r = nn.input "r" : tensor<8xf32>
  // expected-error @below {{C2: weight, mean or rstd does not fit x}}
  %y, %dw, %db = nn.layer_norm_gradient %g, %x, %w, %m, %r {resultSegmentSizes = array<i32: 1, 1, 1>} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<4xf32>, tensor<7xf32>, tensor<8xf32>) -> (tensor<8x4xf32>, tensor<4xf32>, tensor<4xf32>)
}

// -----

nn.program @layer_norm_gradient_c2_weight kind evaluate {
  %g = nn.input "g" : tensor<8x4xf32>
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<5xf32>
  %m = nn.input "m" : tensor<8xf32>
  %r = nn.input "r" : tensor<8xf32>
  // expected-error @below {{C2: weight, mean or rstd does not fit x}}
  %y, %dw, %db = nn.layer_norm_gradient %g, %x, %w, %m, %r {resultSegmentSizes = array<i32: 1, 1, 1>} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<5xf32>, tensor<8xf32>, tensor<8xf32>) -> (tensor<8x4xf32>, tensor<4xf32>, tensor<4xf32>)
}

// -----

nn.program @layer_norm_gradient_c3_bias_gradient kind evaluate {
  %g = nn.input "g" : tensor<8x4xf32>
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<4xf32>
  %m = nn.input "m" : tensor<8xf32>
  %r = nn.input "r" : tensor<8xf32>
  // expected-error @below {{C3: the gradients of weight and bias must be f32 of the weight's shape}}
  %y, %dw, %db = nn.layer_norm_gradient %g, %x, %w, %m, %r {resultSegmentSizes = array<i32: 1, 1, 1>} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<4xf32>, tensor<8xf32>, tensor<8xf32>) -> (tensor<8x4xf32>, tensor<4xf32>, tensor<4xbf16>)
}

// -----

nn.program @split_qkv_c1_heads kind evaluate {
  %x = nn.input "x" : tensor<8x24xf32>
  // expected-error @below {{C1: kv_heads does not divide heads}}
  %q, %k, %v = nn.split_qkv %x {heads = 3 : i64, kv_heads = 2 : i64} : (tensor<8x24xf32>) -> (tensor<8x12xf32>, tensor<8x6xf32>, tensor<8x6xf32>)
}

// -----

nn.program @split_qkv_c1_none kind evaluate {
  %x = nn.input "x" : tensor<8x24xf32>
  // expected-error @below {{C1: kv_heads does not divide heads}}
  %q, %k, %v = nn.split_qkv %x {heads = 4 : i64, kv_heads = 0 : i64} : (tensor<8x24xf32>) -> (tensor<8x12xf32>, tensor<8x6xf32>, tensor<8x6xf32>)
}

// -----

nn.program @split_qkv_c2_width kind evaluate {
  %x = nn.input "x" : tensor<8x23xf32>
  // expected-error @below {{C2: the joined matrix must be}}
  %q, %k, %v = nn.split_qkv %x {heads = 4 : i64, kv_heads = 2 : i64} : (tensor<8x23xf32>) -> (tensor<8x12xf32>, tensor<8x6xf32>, tensor<8x6xf32>)
}

// -----

nn.program @split_qkv_c2_key kind evaluate {
  %x = nn.input "x" : tensor<8x24xf32>
  // expected-error @below {{C2: the joined matrix must be}}
  %q, %k, %v = nn.split_qkv %x {heads = 4 : i64, kv_heads = 2 : i64} : (tensor<8x24xf32>) -> (tensor<8x12xf32>, tensor<8x5xf32>, tensor<8x6xf32>)
}

// -----

nn.program @split_qkv_c2_rows kind evaluate {
  %x = nn.input "x" : tensor<8x24xf32>
  // expected-error @below {{C2: the joined matrix must be}}
  %q, %k, %v = nn.split_qkv %x {heads = 4 : i64, kv_heads = 2 : i64} : (tensor<8x24xf32>) -> (tensor<8x12xf32>, tensor<8x6xf32>, tensor<7x6xf32>)
}

// -----

nn.program @split_qkv_c3_elements kind evaluate {
  %x = nn.input "x" : tensor<8x24xf32>
  // expected-error @below {{C3: element types differ}}
  %q, %k, %v = nn.split_qkv %x {heads = 4 : i64, kv_heads = 2 : i64} : (tensor<8x24xf32>) -> (tensor<8x12xf32>, tensor<8x6xf32>, tensor<8x6xbf16>)
}

// -----

nn.program @join_qkv_c1_heads kind evaluate {
  %q = nn.input "q" : tensor<8x12xf32>
  // expected-error @below {{C1: kv_heads does not divide heads}}
  %y = nn.join_qkv query %q {heads = 4 : i64, kv_heads = 3 : i64} : (tensor<8x12xf32>) -> tensor<8x24xf32>
}

// -----

nn.program @join_qkv_c3_elements kind evaluate {
  %q = nn.input "q" : tensor<8x12xbf16>
  // expected-error @below {{C3: element types differ}}
  %y = nn.join_qkv query %q {heads = 4 : i64, kv_heads = 2 : i64} : (tensor<8x12xbf16>) -> tensor<8x24xf32>
}

// -----

nn.program @join_qkv_c2_query kind evaluate {
  %q = nn.input "q" : tensor<8x11xf32>
  // expected-error @below {{C2: the joined matrix must be}}
  %y = nn.join_qkv query %q {heads = 4 : i64, kv_heads = 2 : i64} : (tensor<8x11xf32>) -> tensor<8x24xf32>
}

// -----

nn.program @join_qkv_c4_nothing kind evaluate {
  // expected-error @below {{C4: nothing is given}}
  %y = nn.join_qkv {heads = 4 : i64, kv_heads = 2 : i64} : () -> tensor<8x24xf32>
}

// -----

nn.program @embedding_c4_offset kind evaluate {
  %a = nn.input "a" : tensor<8xi32>
  %b = nn.input "b" : tensor<9x4xf32>
  // expected-error @below {{C4: offset is not a row of the table}}
  %y = nn.embedding %a, %b {offset = 9 : i64} : (tensor<8xi32>, tensor<9x4xf32>) -> tensor<8x4xf32>
}

// -----

nn.program @embedding_gradient_c3_offset kind evaluate {
  %a = nn.input "a" : tensor<8xi32>
  %b = nn.input "b" : tensor<8x4xf32>
  // expected-error @below {{C3: offset is not a row of the table}}
  %y = nn.embedding_gradient %a, %b {offset = -1 : i64} : (tensor<8xi32>, tensor<8x4xf32>) -> tensor<9x4xf32>
}

// -----

nn.program @rms_norm_c1_weight kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<5xf32>
  // expected-error @below {{C1: x, weight and the result differ in columns}}
  %y, %rstd = nn.rms_norm %x, %w {epsilon = 1.0e-5 : f64} : (tensor<8x4xf32>, tensor<5xf32>) -> (tensor<8x4xf32>, tensor<8xf32>)
}

// -----

nn.program @rms_norm_c1_result kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<4xf32>
  // expected-error @below {{C1: x, weight and the result differ in columns}}
  %y, %rstd = nn.rms_norm %x, %w {epsilon = 1.0e-5 : f64} : (tensor<8x4xf32>, tensor<4xf32>) -> (tensor<8x5xf32>, tensor<8xf32>)
}

// -----

nn.program @rms_norm_c2_rstd kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<4xf32>
  // expected-error @below {{C2: x, the result and rstd differ in rows, or rstd is not f32}}
  %y, %rstd = nn.rms_norm %x, %w {epsilon = 1.0e-5 : f64} : (tensor<8x4xf32>, tensor<4xf32>) -> (tensor<8x4xf32>, tensor<7xf32>)
}

// -----

nn.program @rms_norm_c2_rstd_bf16 kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<4xf32>
  // expected-error @below {{C2: x, the result and rstd differ in rows, or rstd is not f32}}
  %y, %rstd = nn.rms_norm %x, %w {epsilon = 1.0e-5 : f64} : (tensor<8x4xf32>, tensor<4xf32>) -> (tensor<8x4xf32>, tensor<8xbf16>)
}

// -----

nn.program @rms_norm_c3_elements kind evaluate {
  %x = nn.input "x" : tensor<8x4xbf16>
  %w = nn.input "w" : tensor<4xf32>
  // expected-error @below {{C3: element types differ}}
  %y, %rstd = nn.rms_norm %x, %w {epsilon = 1.0e-5 : f64} : (tensor<8x4xbf16>, tensor<4xf32>) -> (tensor<8x4xbf16>, tensor<8xf32>)
}

// -----

nn.program @rms_norm_c4_epsilon kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<4xf32>
  // expected-error @below {{C4: epsilon must be positive}}
  %y, %rstd = nn.rms_norm %x, %w {epsilon = 0.0 : f64} : (tensor<8x4xf32>, tensor<4xf32>) -> (tensor<8x4xf32>, tensor<8xf32>)
}

// -----

nn.program @rms_norm_gradient_c1_gradient kind evaluate {
  %g = nn.input "g" : tensor<8x5xf32>
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<4xf32>
  %rstd = nn.input "rstd" : tensor<8xf32>
  // expected-error @below {{C1: gradient, x, residual and the result differ in type}}
  %y = nn.rms_norm_gradient %g, %x, %w, %rstd : (tensor<8x5xf32>, tensor<8x4xf32>, tensor<4xf32>, tensor<8xf32>) -> tensor<8x4xf32>
}

// -----

nn.program @rms_norm_gradient_c1_residual kind evaluate {
  %g = nn.input "g" : tensor<8x4xf32>
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<4xf32>
  %rstd = nn.input "rstd" : tensor<8xf32>
  %r = nn.input "r" : tensor<7x4xf32>
  // expected-error @below {{C1: gradient, x, residual and the result differ in type}}
  %y = nn.rms_norm_gradient %g, %x, %w, %rstd residual %r : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<4xf32>, tensor<8xf32>, tensor<7x4xf32>) -> tensor<8x4xf32>
}

// -----

nn.program @rms_norm_gradient_c2_weight kind evaluate {
  %g = nn.input "g" : tensor<8x4xf32>
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<5xf32>
  %rstd = nn.input "rstd" : tensor<8xf32>
  // expected-error @below {{C2: weight or rstd does not fit x}}
  %y = nn.rms_norm_gradient %g, %x, %w, %rstd : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<5xf32>, tensor<8xf32>) -> tensor<8x4xf32>
}

// -----

nn.program @rms_norm_gradient_c2_rstd kind evaluate {
  %g = nn.input "g" : tensor<8x4xf32>
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<4xf32>
  %rstd = nn.input "rstd" : tensor<7xf32>
  // expected-error @below {{C2: weight or rstd does not fit x}}
  %y = nn.rms_norm_gradient %g, %x, %w, %rstd : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<4xf32>, tensor<7xf32>) -> tensor<8x4xf32>
}

// -----

nn.program @rms_norm_gradient_c3_weight_gradient kind evaluate {
  %g = nn.input "g" : tensor<8x4xf32>
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<4xf32>
  %rstd = nn.input "rstd" : tensor<8xf32>
  // expected-error @below {{C3: the weight's gradient must be f32 of the weight's shape}}
  %y, %dw = nn.rms_norm_gradient %g, %x, %w, %rstd : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<4xf32>, tensor<8xf32>) -> (tensor<8x4xf32>, tensor<5xf32>)
}

// -----

nn.program @rope_table_c1_frequencies kind evaluate {
  %p = nn.input "p" : tensor<8xi32>
  // expected-error @below {{C1: a table must be [positions, frequencies]}}
  %c, %s = nn.rope_table %p {inverse_frequencies = array<f32: 1.0, 0.5>} : (tensor<8xi32>) -> (tensor<8x3xf32>, tensor<8x3xf32>)
}

// -----

nn.program @rope_table_c1_positions kind evaluate {
  %p = nn.input "p" : tensor<8xi32>
  // expected-error @below {{C1: a table must be [positions, frequencies]}}
  %c, %s = nn.rope_table %p {inverse_frequencies = array<f32: 1.0, 0.5>} : (tensor<8xi32>) -> (tensor<8x2xf32>, tensor<7x2xf32>)
}

// -----

nn.program @rope_table_c2_elements kind evaluate {
  %p = nn.input "p" : tensor<8xi32>
  // expected-error @below {{C2: element types differ}}
  %c, %s = nn.rope_table %p {inverse_frequencies = array<f32: 1.0, 0.5>} : (tensor<8xi32>) -> (tensor<8x2xf32>, tensor<8x2xbf16>)
}

// -----

nn.program @rope_c1_type kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %c = nn.input "c" : tensor<8x1xf32>
  %s = nn.input "s" : tensor<8x1xf32>
  // expected-error @below {{C1: x and the result differ in type}}
  %y = nn.rope %x, %c, %s {head_dim = 2 : i64} : (tensor<8x4xf32>, tensor<8x1xf32>, tensor<8x1xf32>) -> tensor<8x6xf32>
}

// -----

nn.program @rope_c2_odd kind evaluate {
  %x = nn.input "x" : tensor<8x6xf32>
  %c = nn.input "c" : tensor<8x1xf32>
  %s = nn.input "s" : tensor<8x1xf32>
  // expected-error @below {{C2: head_dim must be even and divide x's columns}}
  %y = nn.rope %x, %c, %s {head_dim = 3 : i64} : (tensor<8x6xf32>, tensor<8x1xf32>, tensor<8x1xf32>) -> tensor<8x6xf32>
}

// -----

nn.program @rope_c2_columns kind evaluate {
  %x = nn.input "x" : tensor<8x6xf32>
  %c = nn.input "c" : tensor<8x2xf32>
  %s = nn.input "s" : tensor<8x2xf32>
  // expected-error @below {{C2: head_dim must be even and divide x's columns}}
  %y = nn.rope %x, %c, %s {head_dim = 4 : i64} : (tensor<8x6xf32>, tensor<8x2xf32>, tensor<8x2xf32>) -> tensor<8x6xf32>
}

// -----

nn.program @rope_c3_table kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %c = nn.input "c" : tensor<8x2xf32>
  %s = nn.input "s" : tensor<8x1xf32>
  // expected-error @below {{C3: cosine and sine must be [x's rows, head_dim/2] of x's element type}}
  %y = nn.rope %x, %c, %s {head_dim = 2 : i64} : (tensor<8x4xf32>, tensor<8x2xf32>, tensor<8x1xf32>) -> tensor<8x4xf32>
}

// -----

nn.program @rope_c3_elements kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %c = nn.input "c" : tensor<8x1xf32>
  %s = nn.input "s" : tensor<8x1xbf16>
  // expected-error @below {{C3: cosine and sine must be [x's rows, head_dim/2] of x's element type}}
  %y = nn.rope %x, %c, %s {head_dim = 2 : i64} : (tensor<8x4xf32>, tensor<8x1xf32>, tensor<8x1xbf16>) -> tensor<8x4xf32>
}

// -----

nn.program @attention_c1_heads kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %k = nn.input "k" : tensor<8x2xf32>
  %v = nn.input "v" : tensor<8x2xf32>
  %s = nn.input "s" : tensor<8xi32>
  // expected-error @below {{C1: heads does not divide query's columns, or the result's shape isn't query's}}
  %o, %l = nn.attention %q, %k, %v, %s, %s {heads = 3 : i64, key_length = 4 : i64, kv_heads = 1 : i64, length = 4 : i64, scale = 0.5 : f64} : (tensor<8x4xf32>, tensor<8x2xf32>, tensor<8x2xf32>, tensor<8xi32>, tensor<8xi32>) -> (tensor<8x4xf32>, tensor<3x8xf32>)
}

// -----

nn.program @attention_c1_result kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %k = nn.input "k" : tensor<8x2xf32>
  %v = nn.input "v" : tensor<8x2xf32>
  %s = nn.input "s" : tensor<8xi32>
  // expected-error @below {{C1: heads does not divide query's columns, or the result's shape isn't query's}}
  %o, %l = nn.attention %q, %k, %v, %s, %s {heads = 2 : i64, key_length = 4 : i64, kv_heads = 1 : i64, length = 4 : i64, scale = 0.5 : f64} : (tensor<8x4xf32>, tensor<8x2xf32>, tensor<8x2xf32>, tensor<8xi32>, tensor<8xi32>) -> (tensor<8x2xf32>, tensor<2x8xf32>)
}

// -----

nn.program @attention_c2_key kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %k = nn.input "k" : tensor<8x4xf32>
  %v = nn.input "v" : tensor<8x2xf32>
  %s = nn.input "s" : tensor<8xi32>
  // expected-error @below {{C2: key and value must be [keys, kv_heads * head width]}}
  %o, %l = nn.attention %q, %k, %v, %s, %s {heads = 2 : i64, key_length = 4 : i64, kv_heads = 1 : i64, length = 4 : i64, scale = 0.5 : f64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x2xf32>, tensor<8xi32>, tensor<8xi32>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
}

// -----

nn.program @attention_c2_value kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %k = nn.input "k" : tensor<8x2xf32>
  %v = nn.input "v" : tensor<7x2xf32>
  %s = nn.input "s" : tensor<8xi32>
  // expected-error @below {{C2: key and value must be [keys, kv_heads * head width]}}
  %o, %l = nn.attention %q, %k, %v, %s, %s {heads = 2 : i64, key_length = 4 : i64, kv_heads = 1 : i64, length = 4 : i64, scale = 0.5 : f64} : (tensor<8x4xf32>, tensor<8x2xf32>, tensor<7x2xf32>, tensor<8xi32>, tensor<8xi32>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
}

// -----

nn.program @attention_c3_groups kind evaluate {
  %q = nn.input "q" : tensor<8x6xf32>
  %k = nn.input "k" : tensor<8x4xf32>
  %v = nn.input "v" : tensor<8x4xf32>
  %s = nn.input "s" : tensor<8xi32>
  // expected-error @below {{C3: kv_heads does not divide heads}}
  %o, %l = nn.attention %q, %k, %v, %s, %s {heads = 3 : i64, key_length = 4 : i64, kv_heads = 2 : i64, length = 4 : i64, scale = 0.5 : f64} : (tensor<8x6xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8xi32>, tensor<8xi32>) -> (tensor<8x6xf32>, tensor<3x8xf32>)
}

// -----

nn.program @attention_c4_length kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %k = nn.input "k" : tensor<8x2xf32>
  %v = nn.input "v" : tensor<8x2xf32>
  %s = nn.input "s" : tensor<8xi32>
  // expected-error @below {{C4: length and key_length do not divide queries and keys into as many rows}}
  %o, %l = nn.attention %q, %k, %v, %s, %s {heads = 2 : i64, key_length = 3 : i64, kv_heads = 1 : i64, length = 3 : i64, scale = 0.5 : f64} : (tensor<8x4xf32>, tensor<8x2xf32>, tensor<8x2xf32>, tensor<8xi32>, tensor<8xi32>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
}

// -----

nn.program @attention_c4_segments kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %k = nn.input "k" : tensor<8x2xf32>
  %v = nn.input "v" : tensor<8x2xf32>
  %s = nn.input "s" : tensor<7xi32>
  // expected-error @below {{C4: segments must be [queries], key_segments [keys]}}
  %o, %l = nn.attention %q, %k, %v, %s, %s {heads = 2 : i64, key_length = 4 : i64, kv_heads = 1 : i64, length = 4 : i64, scale = 0.5 : f64} : (tensor<8x4xf32>, tensor<8x2xf32>, tensor<8x2xf32>, tensor<7xi32>, tensor<7xi32>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
}

// -----

nn.program @attention_c4_key_length kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %k = nn.input "k" : tensor<10x2xf32>
  %s = nn.input "s" : tensor<8xi32>
  %ks = nn.input "ks" : tensor<10xi32>
  // expected-error @below {{C4: length and key_length do not divide queries and keys into as many rows}}
  %o, %l = nn.attention %q, %k, %k, %s, %ks {heads = 2 : i64, kv_heads = 1 : i64, length = 4 : i64, scale = 0.5 : f64, key_length = 3 : i64, causal = false} : (tensor<8x4xf32>, tensor<10x2xf32>, tensor<10x2xf32>, tensor<8xi32>, tensor<10xi32>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
}

// -----

nn.program @attention_c4_rows kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %k = nn.input "k" : tensor<15x2xf32>
  %s = nn.input "s" : tensor<8xi32>
  %ks = nn.input "ks" : tensor<15xi32>
  // expected-error @below {{C4: length and key_length do not divide queries and keys into as many rows}}
  %o, %l = nn.attention %q, %k, %k, %s, %ks {heads = 2 : i64, kv_heads = 1 : i64, length = 4 : i64, scale = 0.5 : f64, key_length = 5 : i64, causal = false} : (tensor<8x4xf32>, tensor<15x2xf32>, tensor<15x2xf32>, tensor<8xi32>, tensor<15xi32>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
}

// -----

nn.program @attention_c4_key_segments kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %k = nn.input "k" : tensor<10x2xf32>
  %s = nn.input "s" : tensor<8xi32>
  %ks = nn.input "ks" : tensor<8xi32>
  // expected-error @below {{C4: segments must be [queries], key_segments [keys]}}
  %o, %l = nn.attention %q, %k, %k, %s, %ks {heads = 2 : i64, kv_heads = 1 : i64, length = 4 : i64, scale = 0.5 : f64, key_length = 5 : i64, causal = false} : (tensor<8x4xf32>, tensor<10x2xf32>, tensor<10x2xf32>, tensor<8xi32>, tensor<8xi32>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
}

// -----

nn.program @attention_c5_elements kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %k = nn.input "k" : tensor<8x2xbf16>
  %v = nn.input "v" : tensor<8x2xf32>
  %s = nn.input "s" : tensor<8xi32>
  // expected-error @below {{C5: element types differ}}
  %o, %l = nn.attention %q, %k, %v, %s, %s {heads = 2 : i64, key_length = 4 : i64, kv_heads = 1 : i64, length = 4 : i64, scale = 0.5 : f64} : (tensor<8x4xf32>, tensor<8x2xbf16>, tensor<8x2xf32>, tensor<8xi32>, tensor<8xi32>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
}

// -----

nn.program @attention_c6_log_sum_exp kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %k = nn.input "k" : tensor<8x2xf32>
  %v = nn.input "v" : tensor<8x2xf32>
  %s = nn.input "s" : tensor<8xi32>
  // expected-error @below {{C6: log_sum_exp must be f32 [heads, tokens]}}
  %o, %l = nn.attention %q, %k, %v, %s, %s {heads = 2 : i64, key_length = 4 : i64, kv_heads = 1 : i64, length = 4 : i64, scale = 0.5 : f64} : (tensor<8x4xf32>, tensor<8x2xf32>, tensor<8x2xf32>, tensor<8xi32>, tensor<8xi32>) -> (tensor<8x4xf32>, tensor<8x2xf32>)
}

// -----

nn.program @attention_c7_key_length kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %k = nn.input "k" : tensor<10x2xf32>
  %s = nn.input "s" : tensor<8xi32>
  %ks = nn.input "ks" : tensor<10xi32>
  // expected-error @below {{C7: causal needs key_length of length, a window needs causal}}
  %o, %l = nn.attention %q, %k, %k, %s, %ks {heads = 2 : i64, kv_heads = 1 : i64, length = 4 : i64, scale = 0.5 : f64, key_length = 5 : i64} : (tensor<8x4xf32>, tensor<10x2xf32>, tensor<10x2xf32>, tensor<8xi32>, tensor<10xi32>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
}

// -----

nn.program @attention_c7_window kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %k = nn.input "k" : tensor<8x2xf32>
  %s = nn.input "s" : tensor<8xi32>
  %ks = nn.input "ks" : tensor<8xi32>
  // expected-error @below {{C7: causal needs key_length of length, a window needs causal}}
  %o, %l = nn.attention %q, %k, %k, %s, %ks {heads = 2 : i64, kv_heads = 1 : i64, length = 4 : i64, scale = 0.5 : f64, key_length = 4 : i64, causal = false, window = 2 : i64} : (tensor<8x4xf32>, tensor<8x2xf32>, tensor<8x2xf32>, tensor<8xi32>, tensor<8xi32>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
}

// -----

nn.program @attention_c8_by_key kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %k = nn.input "k" : tensor<10x2xf32>
  %s = nn.input "s" : tensor<8xi32>
  %ks = nn.input "ks" : tensor<10xi32>
  %b = nn.input "b" : tensor<2x8xf32>
  // expected-error @below {{C8: bias must be f32 of its kind, [heads, keys] or [heads, length + key_length - 1]}}
  %o, %l = nn.attention %q, %k, %k, %s, %ks bias by_key %b {heads = 2 : i64, kv_heads = 1 : i64, length = 4 : i64, scale = 0.5 : f64, key_length = 5 : i64, causal = false} : (tensor<8x4xf32>, tensor<10x2xf32>, tensor<10x2xf32>, tensor<8xi32>, tensor<10xi32>, tensor<2x8xf32>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
}

// -----

nn.program @attention_c8_by_distance kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %k = nn.input "k" : tensor<10x2xf32>
  %s = nn.input "s" : tensor<8xi32>
  %ks = nn.input "ks" : tensor<10xi32>
  %b = nn.input "b" : tensor<2x10xf32>
  // expected-error @below {{C8: bias must be f32 of its kind, [heads, keys] or [heads, length + key_length - 1]}}
  %o, %l = nn.attention %q, %k, %k, %s, %ks bias by_distance %b {heads = 2 : i64, kv_heads = 1 : i64, length = 4 : i64, scale = 0.5 : f64, key_length = 5 : i64, causal = false} : (tensor<8x4xf32>, tensor<10x2xf32>, tensor<10x2xf32>, tensor<8xi32>, tensor<10xi32>, tensor<2x10xf32>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
}

// -----

nn.program @attention_c8_heads kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %k = nn.input "k" : tensor<8x2xf32>
  %s = nn.input "s" : tensor<8xi32>
  %ks = nn.input "ks" : tensor<8xi32>
  %b = nn.input "b" : tensor<1x8xf32>
  // expected-error @below {{C8: bias must be f32 of its kind, [heads, keys] or [heads, length + key_length - 1]}}
  %o, %l = nn.attention %q, %k, %k, %s, %ks bias by_key %b {heads = 2 : i64, kv_heads = 1 : i64, length = 4 : i64, scale = 0.5 : f64, key_length = 4 : i64} : (tensor<8x4xf32>, tensor<8x2xf32>, tensor<8x2xf32>, tensor<8xi32>, tensor<8xi32>, tensor<1x8xf32>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
}

// -----

nn.program @attention_c8_element kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %k = nn.input "k" : tensor<8x2xf32>
  %s = nn.input "s" : tensor<8xi32>
  %ks = nn.input "ks" : tensor<8xi32>
  %b = nn.input "b" : tensor<2x8xbf16>
  // expected-error @below {{C8: bias must be f32 of its kind, [heads, keys] or [heads, length + key_length - 1]}}
  %o, %l = nn.attention %q, %k, %k, %s, %ks bias by_key %b {heads = 2 : i64, kv_heads = 1 : i64, length = 4 : i64, scale = 0.5 : f64, key_length = 4 : i64} : (tensor<8x4xf32>, tensor<8x2xf32>, tensor<8x2xf32>, tensor<8xi32>, tensor<8xi32>, tensor<2x8xbf16>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
}

// -----

nn.program @attention_c8_kind kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %s = nn.input "s" : tensor<8xi32>
  // expected-error @below {{C8: bias must be f32 of its kind, [heads, keys] or [heads, length + key_length - 1]}}
  %o, %l = "nn.attention"(%q, %q, %q, %s, %s, %q) <{heads = 2 : i64, kv_heads = 2 : i64, length = 4 : i64, key_length = 4 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0>, scale = 0.5 : f64}> : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8xi32>, tensor<8xi32>, tensor<8x4xf32>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
}

// -----

nn.program @attention_c9_no_scalars kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %s = nn.input "s" : tensor<8xi32>
  %scalars = nn.input "scalars" : tensor<64xi8>
  // expected-error @below {{C9: dropout must be 0 without scalars, in (0, 1) with them}}
  %o, %l = nn.attention %q, %q, %q, %s, %s {heads = 2 : i64, kv_heads = 2 : i64, length = 4 : i64, key_length = 4 : i64, scale = 0.5 : f64, dropout = 0.5 : f64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8xi32>, tensor<8xi32>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
}

// -----

nn.program @attention_c9_zero kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %s = nn.input "s" : tensor<8xi32>
  %scalars = nn.input "scalars" : tensor<64xi8>
  // expected-error @below {{C9: dropout must be 0 without scalars, in (0, 1) with them}}
  %o, %l = nn.attention %q, %q, %q, %s, %s drops_by %scalars {heads = 2 : i64, kv_heads = 2 : i64, length = 4 : i64, key_length = 4 : i64, scale = 0.5 : f64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8xi32>, tensor<8xi32>, tensor<64xi8>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
}

// -----

nn.program @attention_c9_one kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %s = nn.input "s" : tensor<8xi32>
  %scalars = nn.input "scalars" : tensor<64xi8>
  // expected-error @below {{C9: dropout must be 0 without scalars, in (0, 1) with them}}
  %o, %l = nn.attention %q, %q, %q, %s, %s drops_by %scalars {heads = 2 : i64, kv_heads = 2 : i64, length = 4 : i64, key_length = 4 : i64, scale = 0.5 : f64, dropout = 1.0 : f64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8xi32>, tensor<8xi32>, tensor<64xi8>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
}

// -----

nn.program @attention_gradient_c1_gradient kind evaluate {
  %g = nn.input "g" : tensor<8x2xf32>
  %q = nn.input "q" : tensor<8x4xf32>
  %k = nn.input "k" : tensor<8x2xf32>
  %v = nn.input "v" : tensor<8x2xf32>
  %o = nn.input "o" : tensor<8x4xf32>
  %l = nn.input "l" : tensor<2x8xf32>
  %s = nn.input "s" : tensor<8xi32>
  // expected-error @below {{C1: gradient and out must have query's type}}
  %dq, %dk, %dv = nn.attention_gradient %g, %q, %k, %v, %o, %l, %s, %s {heads = 2 : i64, key_length = 4 : i64, kv_heads = 1 : i64, length = 4 : i64, scale = 0.5 : f64} : (tensor<8x2xf32>, tensor<8x4xf32>, tensor<8x2xf32>, tensor<8x2xf32>, tensor<8x4xf32>, tensor<2x8xf32>, tensor<8xi32>, tensor<8xi32>) -> (tensor<8x4xf32>, tensor<8x2xf32>, tensor<8x2xf32>)
}

// -----

nn.program @attention_gradient_c1_out kind evaluate {
  %g = nn.input "g" : tensor<8x4xf32>
  %q = nn.input "q" : tensor<8x4xf32>
  %k = nn.input "k" : tensor<8x2xf32>
  %v = nn.input "v" : tensor<8x2xf32>
  %o = nn.input "o" : tensor<7x4xf32>
  %l = nn.input "l" : tensor<2x8xf32>
  %s = nn.input "s" : tensor<8xi32>
  // expected-error @below {{C1: gradient and out must have query's type}}
  %dq, %dk, %dv = nn.attention_gradient %g, %q, %k, %v, %o, %l, %s, %s {heads = 2 : i64, key_length = 4 : i64, kv_heads = 1 : i64, length = 4 : i64, scale = 0.5 : f64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x2xf32>, tensor<8x2xf32>, tensor<7x4xf32>, tensor<2x8xf32>, tensor<8xi32>, tensor<8xi32>) -> (tensor<8x4xf32>, tensor<8x2xf32>, tensor<8x2xf32>)
}

// -----

nn.program @attention_gradient_c2_key kind evaluate {
  %g = nn.input "g" : tensor<8x4xf32>
  %q = nn.input "q" : tensor<8x4xf32>
  %k = nn.input "k" : tensor<8x2xf32>
  %v = nn.input "v" : tensor<8x2xf32>
  %o = nn.input "o" : tensor<8x4xf32>
  %l = nn.input "l" : tensor<2x8xf32>
  %s = nn.input "s" : tensor<8xi32>
  // expected-error @below {{C2: a gradient's type isn't its operand's}}
  %dq, %dk, %dv = nn.attention_gradient %g, %q, %k, %v, %o, %l, %s, %s {heads = 2 : i64, key_length = 4 : i64, kv_heads = 1 : i64, length = 4 : i64, scale = 0.5 : f64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x2xf32>, tensor<8x2xf32>, tensor<8x4xf32>, tensor<2x8xf32>, tensor<8xi32>, tensor<8xi32>) -> (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x2xf32>)
}

// -----

nn.program @attention_gradient_c3_none kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %l = nn.input "l" : tensor<2x8xf32>
  %s = nn.input "s" : tensor<8xi32>
  // expected-error @below {{C3: bias_gradient must have the type of a bias by_distance}}
  %dq, %dk, %dv, %db = nn.attention_gradient %q, %q, %q, %q, %q, %l, %s, %s {heads = 2 : i64, kv_heads = 2 : i64, length = 4 : i64, key_length = 4 : i64, scale = 0.5 : f64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<2x8xf32>, tensor<8xi32>, tensor<8xi32>) -> (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<2x7xf32>)
}

// -----

nn.program @attention_gradient_c3_by_key kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %l = nn.input "l" : tensor<2x8xf32>
  %s = nn.input "s" : tensor<8xi32>
  %b = nn.input "b" : tensor<2x8xf32>
  // expected-error @below {{C3: bias_gradient must have the type of a bias by_distance}}
  %dq, %dk, %dv, %db = nn.attention_gradient %q, %q, %q, %q, %q, %l, %s, %s bias by_key %b {heads = 2 : i64, kv_heads = 2 : i64, length = 4 : i64, key_length = 4 : i64, scale = 0.5 : f64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<2x8xf32>, tensor<8xi32>, tensor<8xi32>, tensor<2x8xf32>) -> (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<2x8xf32>)
}

// -----

nn.program @attention_gradient_c3_type kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %l = nn.input "l" : tensor<2x8xf32>
  %s = nn.input "s" : tensor<8xi32>
  %b = nn.input "b" : tensor<2x7xf32>
  // expected-error @below {{C3: bias_gradient must have the type of a bias by_distance}}
  %dq, %dk, %dv, %db = nn.attention_gradient %q, %q, %q, %q, %q, %l, %s, %s bias by_distance %b {heads = 2 : i64, kv_heads = 2 : i64, length = 4 : i64, key_length = 4 : i64, scale = 0.5 : f64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<2x8xf32>, tensor<8xi32>, tensor<8xi32>, tensor<2x7xf32>) -> (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<2x8xf32>)
}

// -----

nn.program @attention_gradient_c3_kind kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %l = nn.input "l" : tensor<2x8xf32>
  %s = nn.input "s" : tensor<8xi32>
  // expected-error @below {{C3: bias and bias_kind come together}}
  %dq, %dk, %dv = "nn.attention_gradient"(%q, %q, %q, %q, %q, %l, %s, %s, %q) <{heads = 2 : i64, kv_heads = 2 : i64, length = 4 : i64, key_length = 4 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 1, 0>, scale = 0.5 : f64}> : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<2x8xf32>, tensor<8xi32>, tensor<8xi32>, tensor<8x4xf32>) -> (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>)
}

// -----

nn.program @attention_gradient_c4_no_scalars kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %l = nn.input "l" : tensor<2x8xf32>
  %s = nn.input "s" : tensor<8xi32>
  %scalars = nn.input "scalars" : tensor<64xi8>
  // expected-error @below {{C4: dropout must be 0 without scalars, in (0, 1) with them}}
  %dq, %dk, %dv = nn.attention_gradient %q, %q, %q, %q, %q, %l, %s, %s {heads = 2 : i64, kv_heads = 2 : i64, length = 4 : i64, key_length = 4 : i64, scale = 0.5 : f64, dropout = 0.25 : f64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<2x8xf32>, tensor<8xi32>, tensor<8xi32>) -> (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>)
}

// -----

nn.program @attention_gradient_c4_negative kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %l = nn.input "l" : tensor<2x8xf32>
  %s = nn.input "s" : tensor<8xi32>
  %scalars = nn.input "scalars" : tensor<64xi8>
  // expected-error @below {{C4: dropout must be 0 without scalars, in (0, 1) with them}}
  %dq, %dk, %dv = nn.attention_gradient %q, %q, %q, %q, %q, %l, %s, %s drops_by %scalars {heads = 2 : i64, kv_heads = 2 : i64, length = 4 : i64, key_length = 4 : i64, scale = 0.5 : f64, dropout = -0.1 : f64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<2x8xf32>, tensor<8xi32>, tensor<8xi32>, tensor<64xi8>) -> (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>)
}

// -----

nn.program @relative_bias_c1_length kind evaluate {
  %t = nn.input "t" : tensor<8x3xf32>
  // expected-error @below {{C1: length and key_length must be positive, and the bias f32 [heads, length + key_length - 1]}}
  %b = nn.relative_bias %t {length = 0 : i64, key_length = 5 : i64, max_distance = 20 : i64} : (tensor<8x3xf32>) -> tensor<3x4xf32>
}

// -----

nn.program @relative_bias_c1_shape kind evaluate {
  %t = nn.input "t" : tensor<8x3xf32>
  // expected-error @below {{C1: length and key_length must be positive, and the bias f32 [heads, length + key_length - 1]}}
  %b = nn.relative_bias %t {length = 4 : i64, key_length = 5 : i64, max_distance = 20 : i64} : (tensor<8x3xf32>) -> tensor<3x9xf32>
}

// -----

nn.program @relative_bias_c1_element kind evaluate {
  %t = nn.input "t" : tensor<8x3xf32>
  // expected-error @below {{C1: length and key_length must be positive, and the bias f32 [heads, length + key_length - 1]}}
  %b = nn.relative_bias %t {length = 4 : i64, key_length = 5 : i64, max_distance = 20 : i64} : (tensor<8x3xf32>) -> tensor<3x8xbf16>
}

// -----

nn.program @relative_bias_c2_one kind evaluate {
  %t = nn.input "t" : tensor<1x3xf32>
  // expected-error @below {{C2: needs at least 2 buckets, when bidirectional an even number of at least 4}}
  %b = nn.relative_bias %t {length = 4 : i64, key_length = 5 : i64, max_distance = 20 : i64} : (tensor<1x3xf32>) -> tensor<3x8xf32>
}

// -----

nn.program @relative_bias_c2_odd kind evaluate {
  %t = nn.input "t" : tensor<7x3xf32>
  // expected-error @below {{C2: needs at least 2 buckets, when bidirectional an even number of at least 4}}
  %b = nn.relative_bias %t {length = 4 : i64, key_length = 5 : i64, max_distance = 20 : i64, bidirectional} : (tensor<7x3xf32>) -> tensor<3x8xf32>
}

// -----

nn.program @relative_bias_c2_few kind evaluate {
  %t = nn.input "t" : tensor<2x3xf32>
  // expected-error @below {{C2: needs at least 2 buckets, when bidirectional an even number of at least 4}}
  %b = nn.relative_bias %t {length = 4 : i64, key_length = 5 : i64, max_distance = 20 : i64, bidirectional} : (tensor<2x3xf32>) -> tensor<3x8xf32>
}

// -----

nn.program @relative_bias_c3_distance kind evaluate {
  %t = nn.input "t" : tensor<8x3xf32>
  // expected-error @below {{C3: max_distance must be more than the buckets of one distance}}
  %b = nn.relative_bias %t {length = 4 : i64, key_length = 5 : i64, max_distance = 4 : i64} : (tensor<8x3xf32>) -> tensor<3x8xf32>
}

// -----

nn.program @relative_bias_gradient_c1_result kind evaluate {
  %t = nn.input "t" : tensor<3x8xf32>
  // expected-error @below {{C1: the result must be f32}}
  %b = nn.relative_bias_gradient %t {length = 4 : i64, key_length = 5 : i64, max_distance = 20 : i64} : (tensor<3x8xf32>) -> tensor<8x3xbf16>
}

// -----

nn.program @relative_bias_gradient_c1_shape kind evaluate {
  %t = nn.input "t" : tensor<3x9xf32>
  // expected-error @below {{C1: length and key_length must be positive, and the bias f32 [heads, length + key_length - 1]}}
  %b = nn.relative_bias_gradient %t {length = 4 : i64, key_length = 5 : i64, max_distance = 20 : i64} : (tensor<3x9xf32>) -> tensor<8x3xf32>
}

// -----

nn.program @relative_bias_gradient_c2_odd kind evaluate {
  %t = nn.input "t" : tensor<3x8xf32>
  // expected-error @below {{C2: needs at least 2 buckets, when bidirectional an even number of at least 4}}
  %b = nn.relative_bias_gradient %t {length = 4 : i64, key_length = 5 : i64, max_distance = 20 : i64, bidirectional} : (tensor<3x8xf32>) -> tensor<7x3xf32>
}

// -----

nn.program @relative_bias_gradient_c3_distance kind evaluate {
  %t = nn.input "t" : tensor<3x8xf32>
  // expected-error @below {{C3: max_distance must be more than the buckets of one distance}}
  %b = nn.relative_bias_gradient %t {length = 4 : i64, key_length = 5 : i64, max_distance = 2 : i64, bidirectional} : (tensor<3x8xf32>) -> tensor<8x3xf32>
}

// -----

nn.program @alibi_table_c1_slopes kind evaluate {
  %p = nn.input "p" : tensor<5xi32>
  // expected-error @below {{C1: the result must be f32 [slopes, positions]}}
  %b = nn.alibi_table %p {slopes = array<f32: 0.5, 0.25>} : (tensor<5xi32>) -> tensor<3x5xf32>
}

// -----

nn.program @alibi_table_c1_positions kind evaluate {
  %p = nn.input "p" : tensor<5xi32>
  // expected-error @below {{C1: the result must be f32 [slopes, positions]}}
  %b = nn.alibi_table %p {slopes = array<f32: 0.5, 0.25>} : (tensor<5xi32>) -> tensor<2x4xf32>
}

// -----

nn.program @alibi_table_c1_element kind evaluate {
  // expected-error @below {{C1: the result must be f32 [slopes, positions]}}
  %b = nn.alibi_table {slopes = array<f32: 0.5, 0.25>} : () -> tensor<2x5xbf16>
}

// -----

nn.program @linear_cross_entropy_c1_columns kind evaluate {
  %h = nn.input "h" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<9x5xf32>
  %y = nn.input "y" : tensor<8xi32>
  // expected-error @below {{C1: hidden and weight differ in columns}}
  %loss = nn.linear_cross_entropy %h, %w, %y {chunk = 4 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<9x5xf32>, tensor<8xi32>) -> tensor<1xf64>
}

// -----

nn.program @linear_cross_entropy_c2_rows kind evaluate {
  %h = nn.input "h" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<9x4xf32>
  %y = nn.input "y" : tensor<7xi32>
  // expected-error @below {{C2: hidden and labels differ in rows}}
  %loss = nn.linear_cross_entropy %h, %w, %y {chunk = 4 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<9x4xf32>, tensor<7xi32>) -> tensor<1xf64>
}

// -----

nn.program @linear_cross_entropy_c3_length kind evaluate {
  %h = nn.input "h" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<9x4xf32>
  %y = nn.input "y" : tensor<8xi32>
  // expected-error @below {{C3: length does not divide the tokens}}
  %loss = nn.linear_cross_entropy %h, %w, %y {chunk = 4 : i64, length = 3 : i64} : (tensor<8x4xf32>, tensor<9x4xf32>, tensor<8xi32>) -> tensor<1xf64>
}

// -----

nn.program @linear_cross_entropy_c4_chunk kind evaluate {
  %h = nn.input "h" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<9x4xf32>
  %y = nn.input "y" : tensor<8xi32>
  // expected-error @below {{C4: chunk must be positive}}
  %loss = nn.linear_cross_entropy %h, %w, %y {chunk = 0 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<9x4xf32>, tensor<8xi32>) -> tensor<1xf64>
}

// -----

nn.program @linear_cross_entropy_c5_elements kind evaluate {
  %h = nn.input "h" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<9x4xbf16>
  %y = nn.input "y" : tensor<8xi32>
  // expected-error @below {{C5: element types differ}}
  %loss = nn.linear_cross_entropy %h, %w, %y {chunk = 4 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<9x4xbf16>, tensor<8xi32>) -> tensor<1xf64>
}

// -----

nn.program @linear_cross_entropy_c6_loss kind evaluate {
  %h = nn.input "h" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<9x4xf32>
  %y = nn.input "y" : tensor<8xi32>
  // expected-error @below {{C6: the loss must be f64 [1], [2] or [4], a pair a row}}
  %loss = nn.linear_cross_entropy %h, %w, %y {chunk = 4 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<9x4xf32>, tensor<8xi32>) -> tensor<3xf64>
}

// -----

nn.program @linear_cross_entropy_gradient_c1_as_c1_columns kind evaluate {
  %h = nn.input "h" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<9x5xf32>
  %y = nn.input "y" : tensor<8xi32>
  // expected-error @below {{C1: hidden and weight differ in columns}}
  %loss, %dh = nn.linear_cross_entropy_gradient %h, %w, %y {chunk = 4 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<9x5xf32>, tensor<8xi32>) -> (tensor<1xf64>, tensor<8x4xf32>)
}

// -----

nn.program @linear_cross_entropy_gradient_c1_as_c2_rows kind evaluate {
  %h = nn.input "h" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<9x4xf32>
  %y = nn.input "y" : tensor<7xi32>
  // expected-error @below {{C2: hidden and labels differ in rows}}
  %loss, %dh = nn.linear_cross_entropy_gradient %h, %w, %y {chunk = 4 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<9x4xf32>, tensor<7xi32>) -> (tensor<1xf64>, tensor<8x4xf32>)
}

// -----

nn.program @linear_cross_entropy_gradient_c1_as_c3_length kind evaluate {
  %h = nn.input "h" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<9x4xf32>
  %y = nn.input "y" : tensor<8xi32>
  // expected-error @below {{C3: length does not divide the tokens}}
  %loss, %dh = nn.linear_cross_entropy_gradient %h, %w, %y {chunk = 4 : i64, length = 3 : i64} : (tensor<8x4xf32>, tensor<9x4xf32>, tensor<8xi32>) -> (tensor<1xf64>, tensor<8x4xf32>)
}

// -----

nn.program @linear_cross_entropy_gradient_c1_as_c4_chunk kind evaluate {
  %h = nn.input "h" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<9x4xf32>
  %y = nn.input "y" : tensor<8xi32>
  // expected-error @below {{C4: chunk must be positive}}
  %loss, %dh = nn.linear_cross_entropy_gradient %h, %w, %y {chunk = 0 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<9x4xf32>, tensor<8xi32>) -> (tensor<1xf64>, tensor<8x4xf32>)
}

// -----

nn.program @linear_cross_entropy_gradient_c1_as_c5_elements kind evaluate {
  %h = nn.input "h" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<9x4xbf16>
  %y = nn.input "y" : tensor<8xi32>
  // expected-error @below {{C5: element types differ}}
  %loss, %dh = nn.linear_cross_entropy_gradient %h, %w, %y {chunk = 4 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<9x4xbf16>, tensor<8xi32>) -> (tensor<1xf64>, tensor<8x4xf32>)
}

// -----

nn.program @linear_cross_entropy_gradient_c1_as_c6_loss kind evaluate {
  %h = nn.input "h" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<9x4xf32>
  %y = nn.input "y" : tensor<8xi32>
  // expected-error @below {{C6: the loss must be f64 [1], [2] or [4], a pair a row}}
  %loss, %dh = nn.linear_cross_entropy_gradient %h, %w, %y {chunk = 4 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<9x4xf32>, tensor<8xi32>) -> (tensor<3xf64>, tensor<8x4xf32>)
}

// -----

nn.program @linear_cross_entropy_gradient_c2_hidden kind evaluate {
  %h = nn.input "h" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<9x4xf32>
  %y = nn.input "y" : tensor<8xi32>
  // expected-error @below {{C2: hidden's gradient must have hidden's type}}
  %loss, %dh = nn.linear_cross_entropy_gradient %h, %w, %y {chunk = 4 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<9x4xf32>, tensor<8xi32>) -> (tensor<1xf64>, tensor<8x5xf32>)
}

// -----

nn.program @linear_cross_entropy_gradient_c3_weight kind evaluate {
  %h = nn.input "h" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<9x4xf32>
  %y = nn.input "y" : tensor<8xi32>
  // expected-error @below {{C3: weight's gradient must be f32 of weight's shape}}
  %loss, %dh, %dw = nn.linear_cross_entropy_gradient %h, %w, %y {chunk = 4 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<9x4xf32>, tensor<8xi32>) -> (tensor<1xf64>, tensor<8x4xf32>, tensor<9x5xf32>)
}

// -----

nn.program @sum_squares_c1_nothing kind evaluate {
  // expected-error @below {{C1: needs at least one operand, all f32}}
  %s = nn.sum_squares  : () -> tensor<1xf64>
}

// -----

nn.program @sum_squares_c1_bf16 kind evaluate {
  %x = nn.input "x" : tensor<4xbf16>
  // expected-error @below {{C1: needs at least one operand, all f32}}
  %s = nn.sum_squares %x : (tensor<4xbf16>) -> tensor<1xf64>
}

// -----

nn.program @finish_step_c1_coefficient kind evaluate {
  %q = nn.input "q" : tensor<1xf64>
  %l = nn.input "l" : tensor<1xf64>
  %s = nn.input "s" : tensor<64xi8>
  // expected-error @below {{C1: coefficient must be f32 [1]}}
  %c, %m = nn.finish_step %q, %l, %s {max_norm = 1.0 : f64} : (tensor<1xf64>, tensor<1xf64>, tensor<64xi8>) -> (tensor<2xf32>, tensor<4xf64>)
}

// -----

nn.program @finish_step_c2_metrics kind evaluate {
  %q = nn.input "q" : tensor<1xf64>
  %l = nn.input "l" : tensor<1xf64>
  %s = nn.input "s" : tensor<64xi8>
  // expected-error @below {{C2: metrics must be f64 [4], or [5] when the loss sum has two elements}}
  %c, %m = nn.finish_step %q, %l, %s {max_norm = 1.0 : f64} : (tensor<1xf64>, tensor<1xf64>, tensor<64xi8>) -> (tensor<1xf32>, tensor<3xf64>)
}

// -----


nn.program @append_cache_c1_state kind decode {
  %v = nn.input "v" : tensor<6x4xf32>
  %p = nn.input "p" : tensor<6xi32>
  // expected-error @below {{C1: @nothing is not an nn.state}}
  nn.append_cache @nothing, %v, %p {length = 3 : i64} : tensor<6x4xf32>, tensor<6xi32>
}

// -----

nn.state @cache : tensor<12x4xf32>
nn.program @append_cache_c2_columns kind decode {
  %v = nn.input "v" : tensor<6x5xf32>
  %p = nn.input "p" : tensor<6xi32>
  // expected-error @below {{C2: the state must be a matrix of value's columns and element type}}
  nn.append_cache @cache, %v, %p {length = 3 : i64} : tensor<6x5xf32>, tensor<6xi32>
}

// -----

nn.state @cache : tensor<12x4xf32>
nn.program @append_cache_c2_elements kind decode {
  %v = nn.input "v" : tensor<6x4xbf16>
  %p = nn.input "p" : tensor<6xi32>
  // expected-error @below {{C2: the state must be a matrix of value's columns and element type}}
  nn.append_cache @cache, %v, %p {length = 3 : i64} : tensor<6x4xbf16>, tensor<6xi32>
}

// -----

nn.state @cache : tensor<12x4xf32>
nn.program @append_cache_c3_length kind decode {
  %v = nn.input "v" : tensor<6x4xf32>
  %p = nn.input "p" : tensor<6xi32>
  // expected-error @below {{C3: length does not divide the tokens, or positions differ in rows}}
  nn.append_cache @cache, %v, %p {length = 4 : i64} : tensor<6x4xf32>, tensor<6xi32>
}

// -----

nn.state @cache : tensor<12x4xf32>
nn.program @append_cache_c3_positions kind decode {
  %v = nn.input "v" : tensor<6x4xf32>
  %p = nn.input "p" : tensor<5xi32>
  // expected-error @below {{C3: length does not divide the tokens, or positions differ in rows}}
  nn.append_cache @cache, %v, %p {length = 3 : i64} : tensor<6x4xf32>, tensor<5xi32>
}

// -----

nn.state @cache : tensor<12x4xf32>
nn.program @append_cache_c4_rows kind decode {
  %v = nn.input "v" : tensor<10x4xf32>
  %p = nn.input "p" : tensor<10xi32>
  // expected-error @below {{C4: the rows of tokens do not divide the state's rows}}
  nn.append_cache @cache, %v, %p {length = 2 : i64} : tensor<10x4xf32>, tensor<10xi32>
}

// -----

nn.program @cached_attention_c1_heads kind decode {
  %q = nn.input "q" : tensor<4x8xf32>
  %k = nn.input "k" : tensor<10x4xf32>
  %v = nn.input "v" : tensor<10x4xf32>
  %p = nn.input "p" : tensor<4xi32>
  // expected-error @below {{C1: heads does not divide query's columns, or the result's type isn't query's}}
  %o = nn.cached_attention %q, %k, %v, %p {heads = 3 : i64, kv_heads = 1 : i64, length = 2 : i64, scale = 0.5 : f64} : (tensor<4x8xf32>, tensor<10x4xf32>, tensor<10x4xf32>, tensor<4xi32>) -> tensor<4x8xf32>
}

// -----

nn.program @cached_attention_c1_result kind decode {
  %q = nn.input "q" : tensor<4x8xf32>
  %k = nn.input "k" : tensor<10x4xf32>
  %v = nn.input "v" : tensor<10x4xf32>
  %p = nn.input "p" : tensor<4xi32>
  // expected-error @below {{C1: heads does not divide query's columns, or the result's type isn't query's}}
  %o = nn.cached_attention %q, %k, %v, %p {heads = 4 : i64, kv_heads = 2 : i64, length = 2 : i64, scale = 0.5 : f64} : (tensor<4x8xf32>, tensor<10x4xf32>, tensor<10x4xf32>, tensor<4xi32>) -> tensor<4x8xbf16>
}

// -----

nn.program @cached_attention_c2_value kind decode {
  %q = nn.input "q" : tensor<4x8xf32>
  %k = nn.input "k" : tensor<10x4xf32>
  %v = nn.input "v" : tensor<12x4xf32>
  %p = nn.input "p" : tensor<4xi32>
  // expected-error @below {{C2: key and value must be of one type, with kv_heads * head width columns}}
  %o = nn.cached_attention %q, %k, %v, %p {heads = 4 : i64, kv_heads = 2 : i64, length = 2 : i64, scale = 0.5 : f64} : (tensor<4x8xf32>, tensor<10x4xf32>, tensor<12x4xf32>, tensor<4xi32>) -> tensor<4x8xf32>
}

// -----

nn.program @cached_attention_c2_columns kind decode {
  %q = nn.input "q" : tensor<4x8xf32>
  %k = nn.input "k" : tensor<10x4xf32>
  %v = nn.input "v" : tensor<10x4xf32>
  %p = nn.input "p" : tensor<4xi32>
  // expected-error @below {{C2: key and value must be of one type, with kv_heads * head width columns}}
  %o = nn.cached_attention %q, %k, %v, %p {heads = 4 : i64, kv_heads = 1 : i64, length = 2 : i64, scale = 0.5 : f64} : (tensor<4x8xf32>, tensor<10x4xf32>, tensor<10x4xf32>, tensor<4xi32>) -> tensor<4x8xf32>
}

// -----

nn.program @cached_attention_c3_groups kind decode {
  %q = nn.input "q" : tensor<4x6xf32>
  %k = nn.input "k" : tensor<10x4xf32>
  %v = nn.input "v" : tensor<10x4xf32>
  %p = nn.input "p" : tensor<4xi32>
  // expected-error @below {{C3: kv_heads does not divide heads}}
  %o = nn.cached_attention %q, %k, %v, %p {heads = 3 : i64, kv_heads = 2 : i64, length = 2 : i64, scale = 0.5 : f64} : (tensor<4x6xf32>, tensor<10x4xf32>, tensor<10x4xf32>, tensor<4xi32>) -> tensor<4x6xf32>
}

// -----

nn.program @cached_attention_c4_length kind decode {
  %q = nn.input "q" : tensor<4x8xf32>
  %k = nn.input "k" : tensor<10x4xf32>
  %v = nn.input "v" : tensor<10x4xf32>
  %p = nn.input "p" : tensor<4xi32>
  // expected-error @below {{C4: length does not divide the tokens, their rows do not divide key's, or positions differ in rows}}
  %o = nn.cached_attention %q, %k, %v, %p {heads = 4 : i64, kv_heads = 2 : i64, length = 3 : i64, scale = 0.5 : f64} : (tensor<4x8xf32>, tensor<10x4xf32>, tensor<10x4xf32>, tensor<4xi32>) -> tensor<4x8xf32>
}

// -----

nn.program @cached_attention_c4_rows kind decode {
  %q = nn.input "q" : tensor<4x8xf32>
  %k = nn.input "k" : tensor<10x4xf32>
  %v = nn.input "v" : tensor<10x4xf32>
  %p = nn.input "p" : tensor<4xi32>
  // expected-error @below {{C4: length does not divide the tokens, their rows do not divide key's, or positions differ in rows}}
  %o = nn.cached_attention %q, %k, %v, %p {heads = 4 : i64, kv_heads = 2 : i64, length = 1 : i64, scale = 0.5 : f64} : (tensor<4x8xf32>, tensor<10x4xf32>, tensor<10x4xf32>, tensor<4xi32>) -> tensor<4x8xf32>
}

// -----

nn.program @cached_attention_c4_positions kind decode {
  %q = nn.input "q" : tensor<4x8xf32>
  %k = nn.input "k" : tensor<10x4xf32>
  %v = nn.input "v" : tensor<10x4xf32>
  %p = nn.input "p" : tensor<3xi32>
  // expected-error @below {{C4: length does not divide the tokens, their rows do not divide key's, or positions differ in rows}}
  %o = nn.cached_attention %q, %k, %v, %p {heads = 4 : i64, kv_heads = 2 : i64, length = 2 : i64, scale = 0.5 : f64} : (tensor<4x8xf32>, tensor<10x4xf32>, tensor<10x4xf32>, tensor<3xi32>) -> tensor<4x8xf32>
}

// -----

nn.program @cached_attention_c5_elements kind decode {
  %q = nn.input "q" : tensor<4x8xf32>
  %k = nn.input "k" : tensor<10x4xbf16>
  %v = nn.input "v" : tensor<10x4xbf16>
  %p = nn.input "p" : tensor<4xi32>
  // expected-error @below {{C5: element types differ}}
  %o = nn.cached_attention %q, %k, %v, %p {heads = 4 : i64, kv_heads = 2 : i64, length = 2 : i64, scale = 0.5 : f64} : (tensor<4x8xf32>, tensor<10x4xbf16>, tensor<10x4xbf16>, tensor<4xi32>) -> tensor<4x8xf32>
}

// -----

nn.program @cached_attention_c6_by_key kind decode {
  %q = nn.input "q" : tensor<4x8xf32>
  %k = nn.input "k" : tensor<10x4xf32>
  %p = nn.input "p" : tensor<4xi32>
  %b = nn.input "b" : tensor<4x10xf32>
  // expected-error @below {{C6: bias must be f32 of its kind, [heads, places] or [heads, 2 * places - 1]}}
  %o = nn.cached_attention %q, %k, %k, %p bias by_key %b {heads = 4 : i64, kv_heads = 2 : i64, length = 2 : i64, scale = 0.5 : f64} : (tensor<4x8xf32>, tensor<10x4xf32>, tensor<10x4xf32>, tensor<4xi32>, tensor<4x10xf32>) -> tensor<4x8xf32>
}

// -----

nn.program @cached_attention_c7_window kind decode {
  %q = nn.input "q" : tensor<4x8xf32>
  %k = nn.input "k" : tensor<10x4xf32>
  %p = nn.input "p" : tensor<4xi32>
  // expected-error @below {{C7: window must not be negative}}
  %o = nn.cached_attention %q, %k, %k, %p {heads = 4 : i64, kv_heads = 2 : i64, length = 2 : i64, window = -1 : i64, scale = 0.5 : f64} : (tensor<4x8xf32>, tensor<10x4xf32>, tensor<10x4xf32>, tensor<4xi32>) -> tensor<4x8xf32>
}

// -----

nn.program @cached_attention_c6_by_distance kind decode {
  %q = nn.input "q" : tensor<4x8xf32>
  %k = nn.input "k" : tensor<10x4xf32>
  %p = nn.input "p" : tensor<4xi32>
  %b = nn.input "b" : tensor<4x10xf32>
  // expected-error @below {{C6: bias must be f32 of its kind, [heads, places] or [heads, 2 * places - 1]}}
  %o = nn.cached_attention %q, %k, %k, %p bias by_distance %b {heads = 4 : i64, kv_heads = 2 : i64, length = 2 : i64, scale = 0.5 : f64} : (tensor<4x8xf32>, tensor<10x4xf32>, tensor<10x4xf32>, tensor<4xi32>, tensor<4x10xf32>) -> tensor<4x8xf32>
}

// -----

nn.program @cached_attention_c6_element kind decode {
  %q = nn.input "q" : tensor<4x8xf32>
  %k = nn.input "k" : tensor<10x4xf32>
  %p = nn.input "p" : tensor<4xi32>
  %b = nn.input "b" : tensor<4x5xbf16>
  // expected-error @below {{C6: bias must be f32 of its kind, [heads, places] or [heads, 2 * places - 1]}}
  %o = nn.cached_attention %q, %k, %k, %p bias by_key %b {heads = 4 : i64, kv_heads = 2 : i64, length = 2 : i64, scale = 0.5 : f64} : (tensor<4x8xf32>, tensor<10x4xf32>, tensor<10x4xf32>, tensor<4xi32>, tensor<4x5xbf16>) -> tensor<4x8xf32>
}

// -----

nn.program @reorder_cache_c1_state kind decode {
  %rows = nn.input "rows" : tensor<2xi32>
  // expected-error @below {{C1: @cache is not an nn.state}}
  nn.reorder_cache @cache, %rows : tensor<2xi32>
}

// -----

nn.state @cache : tensor<10xf32>
nn.program @reorder_cache_c2_matrix kind decode {
  %rows = nn.input "rows" : tensor<2xi32>
  // expected-error @below {{C2: the state must be a matrix whose rows the number of rows divides}}
  nn.reorder_cache @cache, %rows : tensor<2xi32>
}

// -----

nn.state @cache : tensor<10x4xf32>
nn.program @reorder_cache_c2_rows kind decode {
  %rows = nn.input "rows" : tensor<3xi32>
  // expected-error @below {{C2: the state must be a matrix whose rows the number of rows divides}}
  nn.reorder_cache @cache, %rows : tensor<3xi32>
}

// -----

// expected-error @below {{failed to satisfy constraint: type attribute of statically shaped tensor}}
nn.state @state_c1_dynamic : tensor<?xf32>

// -----

// expected-error @below {{region should have no arguments}}
nn.program @program_c1_argument kind evaluate {
^bb0(%x: tensor<4xf32>):
}

// -----

// expected-error @below {{expects region #0 to have 0 or 1 blocks}}
"nn.program"() <{kind = 2 : i32, sym_name = "program_c1_two_blocks"}> ({
^bb0:
  %x = nn.input "x" : tensor<4xf32>
^bb1:
  %y = nn.input "y" : tensor<4xf32>
}) : () -> ()

// -----

nn.program @input_c1_dynamic kind evaluate {
  // expected-error @below {{result #0 must be statically shaped tensor}}
  %x = nn.input "x" : tensor<?xf32>
}

// -----

nn.program @output_c1_dynamic kind evaluate {
  %x = "test.value"() : () -> tensor<?xf32>
  // expected-error @below {{operand #0 must be statically shaped tensor}}
  nn.output "x", %x : tensor<?xf32>
}

// -----

nn.program @add_c1_type kind evaluate {
  %x = nn.input "x" : tensor<2x3xf32>
  %y = nn.input "y" : tensor<2x3xbf16>
  // expected-error @below {{requires the same type for all operands and results}}
  %z = "nn.add"(%x, %y) : (tensor<2x3xf32>, tensor<2x3xbf16>) -> tensor<2x3xf32>
}

// -----

nn.program @scale_c1_type kind evaluate {
  %x = nn.input "x" : tensor<2x3xf32>
  %y = nn.input "y" : tensor<2x3xbf16>
  // expected-error @below {{requires the same type for all operands and results}}
  %z = "nn.scale"(%x) <{factor = 2.0 : f64}> : (tensor<2x3xf32>) -> tensor<2x3xbf16>
}

// -----

nn.program @silu_mul_c1_type kind evaluate {
  %x = nn.input "x" : tensor<2x3xf32>
  %y = nn.input "y" : tensor<2x3xbf16>
  // expected-error @below {{requires the same type for all operands and results}}
  %z = "nn.silu_mul"(%x, %y) : (tensor<2x3xf32>, tensor<2x3xbf16>) -> tensor<2x3xf32>
}

// -----

nn.program @silu_mul_gradient_c1_type kind evaluate {
  %x = nn.input "x" : tensor<2x3xf32>
  %y = nn.input "y" : tensor<2x3xbf16>
  // expected-error @below {{requires the same type for all operands and results}}
  %a, %b = "nn.silu_mul_gradient"(%x, %x, %x) : (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xbf16>)
}

// -----

nn.program @activation_c1_type kind evaluate {
  %x = nn.input "x" : tensor<2x3xf32>
  %y = nn.input "y" : tensor<2x3xbf16>
  // expected-error @below {{requires the same type for all operands and results}}
  %z = "nn.activation"(%x) <{kind = 0 : i32}> : (tensor<2x3xf32>) -> tensor<2x3xbf16>
}

// -----

nn.program @activation_gradient_c1_type kind evaluate {
  %x = nn.input "x" : tensor<2x3xf32>
  %y = nn.input "y" : tensor<2x3xbf16>
  // expected-error @below {{requires the same type for all operands and results}}
  %z = "nn.activation_gradient"(%x, %y) <{kind = 0 : i32}> : (tensor<2x3xf32>, tensor<2x3xbf16>) -> tensor<2x3xf32>
}

// -----

nn.program @gated_activation_c1_type kind evaluate {
  %x = nn.input "x" : tensor<2x3xf32>
  %y = nn.input "y" : tensor<2x3xbf16>
  // expected-error @below {{requires the same type for all operands and results}}
  %z = "nn.gated_activation"(%x, %y) <{kind = 0 : i32}> : (tensor<2x3xf32>, tensor<2x3xbf16>) -> tensor<2x3xf32>
}

// -----

nn.program @gated_activation_gradient_c1_type kind evaluate {
  %x = nn.input "x" : tensor<2x3xf32>
  %y = nn.input "y" : tensor<2x3xbf16>
  // expected-error @below {{requires the same type for all operands and results}}
  %a, %b = "nn.gated_activation_gradient"(%x, %x, %x) <{kind = 0 : i32}> : (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xbf16>)
}

// -----

nn.program @clamp_half_c1_type kind evaluate {
  %x = nn.input "x" : tensor<2x3xf32>
  %y = nn.input "y" : tensor<2x3xbf16>
  // expected-error @below {{requires the same type for all operands and results}}
  %z = "nn.clamp_half"(%x) : (tensor<2x3xf32>) -> tensor<2x3xbf16>
}

// -----

nn.program @clamp_half_gradient_c1_type kind evaluate {
  %x = nn.input "x" : tensor<2x3xf32>
  %y = nn.input "y" : tensor<2x3xbf16>
  // expected-error @below {{requires the same type for all operands and results}}
  %z = "nn.clamp_half_gradient"(%x, %y) : (tensor<2x3xf32>, tensor<2x3xbf16>) -> tensor<2x3xf32>
}

// -----

nn.program @dropout_c4_site kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  %s = nn.input "s" : tensor<64xi8>
  // expected-error @below {{C4: site must not be negative}}
  %y = nn.dropout %x, %s {probability = 0.1 : f64, site = -1 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<64xi8>) -> tensor<8x4xf32>
}

// -----

nn.program @attention_c7_negative kind evaluate {
  %q = nn.input "q" : tensor<8x4xf32>
  %k = nn.input "k" : tensor<8x2xf32>
  %s = nn.input "s" : tensor<8xi32>
  // expected-error @below {{C7: causal needs key_length of length, a window needs causal and is not negative}}
  %o, %l = nn.attention %q, %k, %k, %s, %s {heads = 2 : i64, kv_heads = 1 : i64, length = 4 : i64, scale = 0.5 : f64, key_length = 4 : i64, causal = true, window = -2 : i64} : (tensor<8x4xf32>, tensor<8x2xf32>, tensor<8x2xf32>, tensor<8xi32>, tensor<8xi32>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
}

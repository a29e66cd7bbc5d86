// RUN: zp-opt %s --nn-verify-trainable --split-input-file --verify-diagnostics
// RUN: zp-opt %inputs/tiny-lora.mlir --nn-attach-adapters --nn-build-backward --nn-insert-optimizer --nn-verify-trainable -o %t.lora
// RUN: zp-opt %inputs/tiny-full.mlir --nn-build-backward --nn-insert-optimizer --nn-verify-trainable -o %t.full

// expected-error @below {{trainable parameter has 0 gradients and 1 updates, expected at least one and exactly one}}
nn.parameter @no_gradient : tensor<4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w", saved_as = "w", trainable}
nn.program @apply_gradients kind apply_gradients {
  %scalars = nn.input "scalars" : tensor<64xi8>
  %c = nn.input "c" : tensor<1xf32>
  %g = nn.gradient @no_gradient : tensor<4xf32>
  nn.adamw @no_gradient, %g, %c, %scalars {beta1 = 0.9 : f64, beta2 = 0.999 : f64, epsilon = 1.0e-8 : f64, weight_decay = 0.0 : f64} : tensor<4xf32>, tensor<1xf32>, tensor<64xi8>
}

// -----

// expected-error @below {{trainable parameter has 1 gradients and 0 updates}}
nn.parameter @no_update : tensor<4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w", saved_as = "w", trainable}
nn.program @train_step kind train_step {
  %g = nn.input "g" : tensor<4xf32>
  nn.accumulate_gradient @no_update, %g : tensor<4xf32>
}
nn.program @apply_gradients kind apply_gradients {
}

// -----

// expected-error @below {{trainable parameter has 1 gradients and 2 updates}}
nn.parameter @two_updates : tensor<4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w", saved_as = "w", trainable}
nn.program @train_step kind train_step {
  %g = nn.input "g" : tensor<4xf32>
  nn.accumulate_gradient @two_updates, %g : tensor<4xf32>
}
nn.program @apply_gradients kind apply_gradients {
  %scalars = nn.input "scalars" : tensor<64xi8>
  %c = nn.input "c" : tensor<1xf32>
  %g = nn.gradient @two_updates : tensor<4xf32>
  nn.adamw @two_updates, %g, %c, %scalars {beta1 = 0.9 : f64, beta2 = 0.999 : f64, epsilon = 1.0e-8 : f64, weight_decay = 0.0 : f64} : tensor<4xf32>, tensor<1xf32>, tensor<64xi8>
  nn.adamw @two_updates, %g, %c, %scalars {beta1 = 0.9 : f64, beta2 = 0.999 : f64, epsilon = 1.0e-8 : f64, weight_decay = 0.0 : f64} : tensor<4xf32>, tensor<1xf32>, tensor<64xi8>
}

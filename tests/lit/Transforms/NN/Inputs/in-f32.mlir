// Half a block of T5 in fp16: its second linear stays in f32.
module attributes {zp.settings = {fp16 = true}} {
  nn.parameter @wo : tensor<4x6xf32> initial checkpoint {unit = 1 : i64, checkpoint = "wo", in_f32}
  nn.parameter @wi : tensor<6x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "wi"}
  nn.parameter @n : tensor<4xf32> initial checkpoint {unit = 2 : i64, checkpoint = "n", saved_as = "n", trainable}
  nn.parameter @head : tensor<5x4xf32> initial checkpoint {unit = 2 : i64, checkpoint = "head", saved_as = "head", trainable}
  nn.state @loss_sum : tensor<1xf64>
  nn.program @train_step kind train_step attributes {rows = 2 : i64, length = 8 : i64} {
    %ids = nn.input "input_ids" {nn.unit = 0 : i64} : tensor<16xi32>
    %labels = nn.input "labels" {nn.unit = 0 : i64} : tensor<16xi32>
    %table = nn.read @head {nn.unit = 0 : i64} : tensor<5x4xf32>
    %e = nn.embedding %ids, %table {nn.unit = 0 : i64} : (tensor<16xi32>, tensor<5x4xf32>) -> tensor<16x4xf32>
    %x = nn.clamp_half %e {nn.unit = 1 : i64} : tensor<16x4xf32>
    %wi = nn.read @wi {nn.unit = 1 : i64} : tensor<6x4xf32>
    %u = nn.linear %x, %wi {nn.unit = 1 : i64} : (tensor<16x4xf32>, tensor<6x4xf32>) -> tensor<16x6xf32>
    %a = nn.activation gelu %u {nn.unit = 1 : i64} : tensor<16x6xf32>
    %wo = nn.read @wo {nn.unit = 1 : i64} : tensor<4x6xf32>
    %d = nn.linear %a, %wo {nn.unit = 1 : i64} : (tensor<16x6xf32>, tensor<4x6xf32>) -> tensor<16x4xf32>
    %s = nn.add %x, %d {nn.unit = 1 : i64} : tensor<16x4xf32>
    %y = nn.clamp_half %s {nn.unit = 1 : i64} : tensor<16x4xf32>
    %n = nn.read @n {nn.unit = 2 : i64} : tensor<4xf32>
    %h, %rstd = nn.rms_norm %y, %n {epsilon = 1.0e-5 : f64, nn.unit = 2 : i64} : (tensor<16x4xf32>, tensor<4xf32>) -> (tensor<16x4xf32>, tensor<16xf32>)
    %w = nn.read @head {nn.unit = 2 : i64} : tensor<5x4xf32>
    %loss = nn.linear_cross_entropy %h, %w, %labels {chunk = 8 : i64, length = 8 : i64, nn.unit = 2 : i64} : (tensor<16x4xf32>, tensor<5x4xf32>, tensor<16xi32>) -> tensor<1xf64>
    nn.add_state @loss_sum, %loss : tensor<1xf64>
  }
}

// Every parameter trained, and a head tied to the embedding: one parameter in one unit, used in two.
module attributes {zp.settings = {max_grad_norm = 0.5 : f64, weight_decay = 0.1 : f64}} {
  nn.parameter @embed.weight : tensor<11x8xf32> initial checkpoint {checkpoint = "embed.weight", unit = 0 : i64, saved_as = "embed.weight", trainable, decayed}
  nn.parameter @layers.0.norm1 : tensor<8xf32> initial checkpoint {checkpoint = "layers.0.norm1", unit = 1 : i64, saved_as = "layers.0.norm1", trainable}
  nn.parameter @layers.0.q.weight : tensor<8x8xf32> initial checkpoint {checkpoint = "layers.0.q.weight", unit = 1 : i64, saved_as = "layers.0.q.weight", trainable, decayed}
  nn.parameter @layers.0.q.bias : tensor<8xf32> initial checkpoint {checkpoint = "layers.0.q.bias", unit = 1 : i64, saved_as = "layers.0.q.bias", trainable}
  nn.parameter @layers.0.k.weight : tensor<4x8xf32> initial checkpoint {checkpoint = "layers.0.k.weight", unit = 1 : i64, saved_as = "layers.0.k.weight", trainable, decayed}
  nn.parameter @layers.0.k.bias : tensor<4xf32> initial checkpoint {checkpoint = "layers.0.k.bias", unit = 1 : i64, saved_as = "layers.0.k.bias", trainable}
  nn.parameter @layers.0.v.weight : tensor<4x8xf32> initial checkpoint {checkpoint = "layers.0.v.weight", unit = 1 : i64, saved_as = "layers.0.v.weight", trainable, decayed}
  nn.parameter @layers.0.v.bias : tensor<4xf32> initial checkpoint {checkpoint = "layers.0.v.bias", unit = 1 : i64, saved_as = "layers.0.v.bias", trainable}
  nn.parameter @layers.0.o.weight : tensor<8x8xf32> initial checkpoint {checkpoint = "layers.0.o.weight", unit = 1 : i64, saved_as = "layers.0.o.weight", trainable, decayed}
  nn.parameter @layers.0.norm2 : tensor<8xf32> initial checkpoint {checkpoint = "layers.0.norm2", unit = 1 : i64, saved_as = "layers.0.norm2", trainable}
  nn.parameter @layers.0.gate.weight : tensor<12x8xf32> initial checkpoint {checkpoint = "layers.0.gate.weight", unit = 1 : i64, saved_as = "layers.0.gate.weight", trainable, decayed}
  nn.parameter @layers.0.up.weight : tensor<12x8xf32> initial checkpoint {checkpoint = "layers.0.up.weight", unit = 1 : i64, saved_as = "layers.0.up.weight", trainable, decayed}
  nn.parameter @layers.0.down.weight : tensor<8x12xf32> initial checkpoint {checkpoint = "layers.0.down.weight", unit = 1 : i64, saved_as = "layers.0.down.weight", trainable, decayed}
  nn.parameter @layers.1.norm1 : tensor<8xf32> initial checkpoint {checkpoint = "layers.1.norm1", unit = 2 : i64, saved_as = "layers.1.norm1", trainable}
  nn.parameter @layers.1.q.weight : tensor<8x8xf32> initial checkpoint {checkpoint = "layers.1.q.weight", unit = 2 : i64, saved_as = "layers.1.q.weight", trainable, decayed}
  nn.parameter @layers.1.k.weight : tensor<4x8xf32> initial checkpoint {checkpoint = "layers.1.k.weight", unit = 2 : i64, saved_as = "layers.1.k.weight", trainable, decayed}
  nn.parameter @layers.1.v.weight : tensor<4x8xf32> initial checkpoint {checkpoint = "layers.1.v.weight", unit = 2 : i64, saved_as = "layers.1.v.weight", trainable, decayed}
  nn.parameter @layers.1.q_norm : tensor<2xf32> initial checkpoint {checkpoint = "layers.1.q_norm", unit = 2 : i64, saved_as = "layers.1.q_norm", trainable}
  nn.parameter @layers.1.k_norm : tensor<2xf32> initial checkpoint {checkpoint = "layers.1.k_norm", unit = 2 : i64, saved_as = "layers.1.k_norm", trainable}
  nn.parameter @layers.1.o.weight : tensor<8x8xf32> initial checkpoint {checkpoint = "layers.1.o.weight", unit = 2 : i64, saved_as = "layers.1.o.weight", trainable, decayed}
  nn.parameter @layers.1.norm2 : tensor<8xf32> initial checkpoint {checkpoint = "layers.1.norm2", unit = 2 : i64, saved_as = "layers.1.norm2", trainable}
  nn.parameter @layers.1.gate.weight : tensor<12x8xf32> initial checkpoint {checkpoint = "layers.1.gate.weight", unit = 2 : i64, saved_as = "layers.1.gate.weight", trainable, decayed}
  nn.parameter @layers.1.up.weight : tensor<12x8xf32> initial checkpoint {checkpoint = "layers.1.up.weight", unit = 2 : i64, saved_as = "layers.1.up.weight", trainable, decayed}
  nn.parameter @layers.1.down.weight : tensor<8x12xf32> initial checkpoint {checkpoint = "layers.1.down.weight", unit = 2 : i64, saved_as = "layers.1.down.weight", trainable, decayed}
  nn.parameter @norm : tensor<8xf32> initial checkpoint {checkpoint = "norm", unit = 3 : i64, saved_as = "norm", trainable}
  nn.state @loss_sum : tensor<1xf64>
  nn.program @train_step kind train_step attributes {length = 6 : i64, rows = 2 : i64} {
    %ids = nn.input "input_ids" {nn.unit = 0 : i64} : tensor<12xi32>
    %labels = nn.input "labels" {nn.unit = 0 : i64} : tensor<12xi32>
    %positions = nn.input "position_ids" {nn.unit = 0 : i64} : tensor<12xi32>
    %segments = nn.input "segment_ids" {nn.unit = 0 : i64} : tensor<12xi32>
    %scalars = nn.input "scalars" {nn.unit = 0 : i64} : tensor<64xi8>
    %1 = nn.read @embed.weight {nn.unit = 0 : i64} : tensor<11x8xf32>
    %2 = nn.embedding %ids, %1 {nn.unit = 0 : i64} : (tensor<12xi32>, tensor<11x8xf32>) -> tensor<12x8xf32>
    %cosine, %sine = nn.rope_table %positions {inverse_frequencies = array<f32: 0.7>, scaling = 1.0 : f64, nn.unit = 0 : i64} : (tensor<12xi32>) -> (tensor<12x1xf32>, tensor<12x1xf32>)
    %3 = nn.read @layers.0.norm1 {nn.unit = 1 : i64} : tensor<8xf32>
    %4, %5 = nn.rms_norm %2, %3 {epsilon = 1.0e-5 : f64, nn.unit = 1 : i64} : (tensor<12x8xf32>, tensor<8xf32>) -> (tensor<12x8xf32>, tensor<12xf32>)
    %6 = nn.read @layers.0.q.weight {nn.unit = 1 : i64} : tensor<8x8xf32>
    %7 = nn.read @layers.0.q.bias {nn.unit = 1 : i64} : tensor<8xf32>
    %8 = nn.linear %4, %6 bias %7 {module = "layers.0.q", nn.unit = 1 : i64} : (tensor<12x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<12x8xf32>
    %9 = nn.read @layers.0.k.weight {nn.unit = 1 : i64} : tensor<4x8xf32>
    %10 = nn.read @layers.0.k.bias {nn.unit = 1 : i64} : tensor<4xf32>
    %11 = nn.linear %4, %9 bias %10 {module = "layers.0.k", nn.unit = 1 : i64} : (tensor<12x8xf32>, tensor<4x8xf32>, tensor<4xf32>) -> tensor<12x4xf32>
    %12 = nn.read @layers.0.v.weight {nn.unit = 1 : i64} : tensor<4x8xf32>
    %13 = nn.read @layers.0.v.bias {nn.unit = 1 : i64} : tensor<4xf32>
    %14 = nn.linear %4, %12 bias %13 {module = "layers.0.v", nn.unit = 1 : i64} : (tensor<12x8xf32>, tensor<4x8xf32>, tensor<4xf32>) -> tensor<12x4xf32>
    %15 = nn.rope %8, %cosine, %sine {head_dim = 2 : i64, nn.unit = 1 : i64} : (tensor<12x8xf32>, tensor<12x1xf32>, tensor<12x1xf32>) -> tensor<12x8xf32>
    %16 = nn.rope %11, %cosine, %sine {head_dim = 2 : i64, nn.unit = 1 : i64} : (tensor<12x4xf32>, tensor<12x1xf32>, tensor<12x1xf32>) -> tensor<12x4xf32>
    %17, %18 = nn.attention %15, %16, %14, %segments, %segments {heads = 4 : i64, key_length = 6 : i64, kv_heads = 2 : i64, length = 6 : i64, window = 0 : i64, scale = 0.70710678118654752 : f64, nn.unit = 1 : i64} : (tensor<12x8xf32>, tensor<12x4xf32>, tensor<12x4xf32>, tensor<12xi32>, tensor<12xi32>) -> (tensor<12x8xf32>, tensor<4x12xf32>)
    %19 = nn.read @layers.0.o.weight {nn.unit = 1 : i64} : tensor<8x8xf32>
    %20 = nn.linear %17, %19 {module = "layers.0.o", nn.unit = 1 : i64} : (tensor<12x8xf32>, tensor<8x8xf32>) -> tensor<12x8xf32>
    %21 = nn.add %2, %20 {nn.unit = 1 : i64} : tensor<12x8xf32>
    %22 = nn.read @layers.0.norm2 {nn.unit = 1 : i64} : tensor<8xf32>
    %23, %24 = nn.rms_norm %21, %22 {epsilon = 1.0e-5 : f64, nn.unit = 1 : i64} : (tensor<12x8xf32>, tensor<8xf32>) -> (tensor<12x8xf32>, tensor<12xf32>)
    %25 = nn.read @layers.0.gate.weight {nn.unit = 1 : i64} : tensor<12x8xf32>
    %26 = nn.linear %23, %25 {module = "layers.0.gate", nn.unit = 1 : i64} : (tensor<12x8xf32>, tensor<12x8xf32>) -> tensor<12x12xf32>
    %27 = nn.read @layers.0.up.weight {nn.unit = 1 : i64} : tensor<12x8xf32>
    %28 = nn.linear %23, %27 {module = "layers.0.up", nn.unit = 1 : i64} : (tensor<12x8xf32>, tensor<12x8xf32>) -> tensor<12x12xf32>
    %29 = nn.silu_mul %26, %28 {nn.unit = 1 : i64} : tensor<12x12xf32>
    %30 = nn.read @layers.0.down.weight {nn.unit = 1 : i64} : tensor<8x12xf32>
    %31 = nn.linear %29, %30 {module = "layers.0.down", nn.unit = 1 : i64} : (tensor<12x12xf32>, tensor<8x12xf32>) -> tensor<12x8xf32>
    %32 = nn.add %21, %31 {nn.unit = 1 : i64} : tensor<12x8xf32>
    %33 = nn.read @layers.1.norm1 {nn.unit = 2 : i64} : tensor<8xf32>
    %34, %35 = nn.rms_norm %32, %33 {epsilon = 1.0e-5 : f64, nn.unit = 2 : i64} : (tensor<12x8xf32>, tensor<8xf32>) -> (tensor<12x8xf32>, tensor<12xf32>)
    %36 = nn.read @layers.1.q.weight {nn.unit = 2 : i64} : tensor<8x8xf32>
    %37 = nn.linear %34, %36 {module = "layers.1.q", nn.unit = 2 : i64} : (tensor<12x8xf32>, tensor<8x8xf32>) -> tensor<12x8xf32>
    %38 = nn.read @layers.1.k.weight {nn.unit = 2 : i64} : tensor<4x8xf32>
    %39 = nn.linear %34, %38 {module = "layers.1.k", nn.unit = 2 : i64} : (tensor<12x8xf32>, tensor<4x8xf32>) -> tensor<12x4xf32>
    %40 = nn.read @layers.1.v.weight {nn.unit = 2 : i64} : tensor<4x8xf32>
    %41 = nn.linear %34, %40 {module = "layers.1.v", nn.unit = 2 : i64} : (tensor<12x8xf32>, tensor<4x8xf32>) -> tensor<12x4xf32>
    %42 = nn.reshape %37 {nn.unit = 2 : i64} : (tensor<12x8xf32>) -> tensor<48x2xf32>
    %43 = nn.read @layers.1.q_norm {nn.unit = 2 : i64} : tensor<2xf32>
    %44, %45 = nn.rms_norm %42, %43 {epsilon = 1.0e-5 : f64, nn.unit = 2 : i64} : (tensor<48x2xf32>, tensor<2xf32>) -> (tensor<48x2xf32>, tensor<48xf32>)
    %46 = nn.reshape %44 {nn.unit = 2 : i64} : (tensor<48x2xf32>) -> tensor<12x8xf32>
    %47 = nn.reshape %39 {nn.unit = 2 : i64} : (tensor<12x4xf32>) -> tensor<24x2xf32>
    %48 = nn.read @layers.1.k_norm {nn.unit = 2 : i64} : tensor<2xf32>
    %49, %50 = nn.rms_norm %47, %48 {epsilon = 1.0e-5 : f64, nn.unit = 2 : i64} : (tensor<24x2xf32>, tensor<2xf32>) -> (tensor<24x2xf32>, tensor<24xf32>)
    %51 = nn.reshape %49 {nn.unit = 2 : i64} : (tensor<24x2xf32>) -> tensor<12x4xf32>
    %52 = nn.rope %46, %cosine, %sine {head_dim = 2 : i64, nn.unit = 2 : i64} : (tensor<12x8xf32>, tensor<12x1xf32>, tensor<12x1xf32>) -> tensor<12x8xf32>
    %53 = nn.rope %51, %cosine, %sine {head_dim = 2 : i64, nn.unit = 2 : i64} : (tensor<12x4xf32>, tensor<12x1xf32>, tensor<12x1xf32>) -> tensor<12x4xf32>
    %54, %55 = nn.attention %52, %53, %41, %segments, %segments {heads = 4 : i64, key_length = 6 : i64, kv_heads = 2 : i64, length = 6 : i64, window = 3 : i64, scale = 0.70710678118654752 : f64, nn.unit = 2 : i64} : (tensor<12x8xf32>, tensor<12x4xf32>, tensor<12x4xf32>, tensor<12xi32>, tensor<12xi32>) -> (tensor<12x8xf32>, tensor<4x12xf32>)
    %56 = nn.read @layers.1.o.weight {nn.unit = 2 : i64} : tensor<8x8xf32>
    %57 = nn.linear %54, %56 {module = "layers.1.o", nn.unit = 2 : i64} : (tensor<12x8xf32>, tensor<8x8xf32>) -> tensor<12x8xf32>
    %58 = nn.add %32, %57 {nn.unit = 2 : i64} : tensor<12x8xf32>
    %59 = nn.read @layers.1.norm2 {nn.unit = 2 : i64} : tensor<8xf32>
    %60, %61 = nn.rms_norm %58, %59 {epsilon = 1.0e-5 : f64, nn.unit = 2 : i64} : (tensor<12x8xf32>, tensor<8xf32>) -> (tensor<12x8xf32>, tensor<12xf32>)
    %62 = nn.read @layers.1.gate.weight {nn.unit = 2 : i64} : tensor<12x8xf32>
    %63 = nn.linear %60, %62 {module = "layers.1.gate", nn.unit = 2 : i64} : (tensor<12x8xf32>, tensor<12x8xf32>) -> tensor<12x12xf32>
    %64 = nn.read @layers.1.up.weight {nn.unit = 2 : i64} : tensor<12x8xf32>
    %65 = nn.linear %60, %64 {module = "layers.1.up", nn.unit = 2 : i64} : (tensor<12x8xf32>, tensor<12x8xf32>) -> tensor<12x12xf32>
    %66 = nn.silu_mul %63, %65 {nn.unit = 2 : i64} : tensor<12x12xf32>
    %67 = nn.read @layers.1.down.weight {nn.unit = 2 : i64} : tensor<8x12xf32>
    %68 = nn.linear %66, %67 {module = "layers.1.down", nn.unit = 2 : i64} : (tensor<12x12xf32>, tensor<8x12xf32>) -> tensor<12x8xf32>
    %69 = nn.add %58, %68 {nn.unit = 2 : i64} : tensor<12x8xf32>
    %70 = nn.read @norm {nn.unit = 3 : i64} : tensor<8xf32>
    %71, %72 = nn.rms_norm %69, %70 {epsilon = 1.0e-5 : f64, nn.unit = 3 : i64} : (tensor<12x8xf32>, tensor<8xf32>) -> (tensor<12x8xf32>, tensor<12xf32>)
    %73 = nn.read @embed.weight {nn.unit = 3 : i64} : tensor<11x8xf32>
    %74 = nn.linear_cross_entropy %71, %73, %labels {chunk = 4 : i64, length = 6 : i64, nn.unit = 3 : i64} : (tensor<12x8xf32>, tensor<11x8xf32>, tensor<12xi32>) -> tensor<1xf64>
    nn.add_state @loss_sum, %74 {nn.unit = 3 : i64} : tensor<1xf64>
  }
}

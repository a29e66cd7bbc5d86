// An encoder-decoder: the source is read once, a row a prompt; the beams of a prompt are the queries of its row.
// tests/lit/Transforms/NN/build-generation.mlir holds the pass to what is said here.

module attributes {zp.settings = {generate = true, generation_batch_size = 3 : i64, max_length = 10 : i64, max_source_length = 6 : i64, num_beams = 2 : i64}} {
  nn.parameter @embed : tensor<7x4xf32> initial checkpoint {unit = 0 : i64, checkpoint = "embed"}
  nn.parameter @w : tensor<4x4xf32> initial checkpoint {unit = 2 : i64, checkpoint = "w"}
  // CHECK: nn.state @cache.source_key.0 {{.*}}tensor<18x4xf32>
  // CHECK: nn.state @cache.source_value.0 {{.*}}tensor<18x4xf32>
  // CHECK-LABEL: nn.program @encode kind encode attributes {rows = 3 : i64, source_length = 6 : i64}
  // CHECK-NOT: "input_ids"
  // CHECK-DAG: %[[IDS:.+]] = nn.input "source_ids" : tensor<18xi32>
  // CHECK-DAG: %[[SEGMENTS:.+]] = nn.input "source_segment_ids" : tensor<18xi32>
  // CHECK: nn.attention %[[E:.+]], %[[E]], %[[E]], %[[SEGMENTS]], %[[SEGMENTS]] {causal = false, heads = 2 : i64, key_length = 6 : i64, {{.*}}length = 6 : i64, nn.unit = 1 : i64
  // CHECK-SAME: -> (tensor<18x4xf32>, tensor<2x18xf32>)
  // CHECK: %[[K:.+]] = nn.linear
  // CHECK: nn.store_state @cache.source_key.0, %[[K]] {nn.unit = 2 : i64} : tensor<18x4xf32>
  // CHECK: nn.store_state @cache.source_value.0, %[[K]]
  // CHECK-NOT: nn.append_cache
  // CHECK-NOT: @prefill
  // CHECK: nn.state @cache.key.0 {{.*}}tensor<60x4xf32>
  // CHECK: nn.state @cache.value.0 {{.*}}tensor<60x4xf32>
  // CHECK: nn.program @reorder kind reorder attributes {length = 2 : i64, rows = 3 : i64}
  // CHECK: %[[ORIGINS:.+]] = nn.input "beam_origins" : tensor<6xi32>
  // CHECK: nn.reorder_cache @cache.key.0, %[[ORIGINS]]
  // CHECK: nn.reorder_cache @cache.value.0, %[[ORIGINS]]
  // CHECK: nn.program @decode kind decode attributes {length = 2 : i64, rows = 3 : i64, source_length = 6 : i64}
  // CHECK-NOT: "source_ids"
  // CHECK-DAG: %[[PADDING:.+]] = nn.input "source_segment_ids" : tensor<18xi32>
  // CHECK-DAG: %[[OWN:.+]] = nn.input "segment_ids" : tensor<6xi32>
  // CHECK: nn.append_cache @cache.key.0, %{{.+}}, %{{.+}} {length = 1 : i64, nn.unit = 2 : i64} : tensor<6x4xf32>, tensor<6xi32>
  // CHECK: %[[A:.+]] = nn.cached_attention {{.*}} -> tensor<6x4xf32>
  // CHECK: %[[KEYS:.+]] = nn.load_state @cache.source_key.0 {nn.unit = 2 : i64} : tensor<18x4xf32>
  // CHECK: %[[VALUES:.+]] = nn.load_state @cache.source_value.0
  // CHECK: nn.attention %[[A]], %[[KEYS]], %[[VALUES]], %[[OWN]], %[[PADDING]] {causal = false, heads = 2 : i64, key_length = 6 : i64, {{.*}}length = 2 : i64
  // CHECK-SAME: -> (tensor<6x4xf32>, tensor<2x6xf32>)
  // CHECK: nn.output "logits", %{{.+}} : tensor<6x7xf32>
  nn.program @train_step kind train_step attributes {rows = 2 : i64, length = 4 : i64, source_length = 6 : i64} {
    %source_ids = nn.input "source_ids" : tensor<12xi32>
    %source_positions = nn.input "source_position_ids" : tensor<12xi32>
    %source_segments = nn.input "source_segment_ids" : tensor<12xi32>
    %ids = nn.input "input_ids" : tensor<8xi32>
    %labels = nn.input "labels" : tensor<8xi32>
    %positions = nn.input "position_ids" : tensor<8xi32>
    %segments = nn.input "segment_ids" : tensor<8xi32>
    %embed = nn.read @embed : tensor<7x4xf32>
    %w = nn.read @w : tensor<4x4xf32>
    %source = nn.embedding %source_ids, %embed {nn.unit = 0 : i64} : (tensor<12xi32>, tensor<7x4xf32>) -> tensor<12x4xf32>
    %encoded, %l0 = nn.attention %source, %source, %source, %source_segments, %source_segments {heads = 2 : i64, kv_heads = 2 : i64, length = 6 : i64, key_length = 6 : i64, causal = false, scale = 1.0 : f64, nn.unit = 1 : i64} : (tensor<12x4xf32>, tensor<12x4xf32>, tensor<12x4xf32>, tensor<12xi32>, tensor<12xi32>) -> (tensor<12x4xf32>, tensor<2x12xf32>)
    %e = nn.embedding %ids, %embed {nn.unit = 2 : i64} : (tensor<8xi32>, tensor<7x4xf32>) -> tensor<8x4xf32>
    %a, %l1 = nn.attention %e, %e, %e, %segments, %segments {heads = 2 : i64, kv_heads = 2 : i64, length = 4 : i64, key_length = 4 : i64, scale = 1.0 : f64, nn.unit = 2 : i64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8xi32>, tensor<8xi32>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
    %k = nn.linear %encoded, %w {nn.unit = 2 : i64} : (tensor<12x4xf32>, tensor<4x4xf32>) -> tensor<12x4xf32>
    %c, %l2 = nn.attention %a, %k, %k, %segments, %source_segments {heads = 2 : i64, kv_heads = 2 : i64, length = 4 : i64, key_length = 6 : i64, causal = false, scale = 1.0 : f64, nn.unit = 2 : i64} : (tensor<8x4xf32>, tensor<12x4xf32>, tensor<12x4xf32>, tensor<8xi32>, tensor<12xi32>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
    %loss = nn.linear_cross_entropy %c, %embed, %labels {chunk = 5 : i64, length = 4 : i64, nn.unit = 3 : i64} : (tensor<8x4xf32>, tensor<7x4xf32>, tensor<8xi32>) -> tensor<1xf64>
    nn.add_state @loss_sum, %loss : tensor<1xf64>
  }
  nn.state @loss_sum : tensor<1xf64>
}

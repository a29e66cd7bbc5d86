# tiny-lora.mlir with T5's bias in its first block and ALiBi in its second.
s/^  nn.state @loss_sum/  nn.parameter @relative : tensor<8x4xf32> initial checkpoint {checkpoint = "relative", unit = 0 : i64}\n&/
s/^    %cosine, %sine/    %table = nn.read @relative {nn.unit = 0 : i64} : tensor<8x4xf32>\n    %relative = nn.relative_bias %table {length = 6 : i64, key_length = 6 : i64, max_distance = 5 : i64, nn.unit = 0 : i64} : (tensor<8x4xf32>) -> tensor<4x11xf32>\n    %alibi = nn.alibi_table %positions {slopes = array<f32: 0.5, 0.25, 0.125, 0.0625>, nn.unit = 0 : i64} : (tensor<12xi32>) -> tensor<4x12xf32>\n&/
/%17, %18 = nn.attention/{
s/ {/ bias by_distance %relative {/
s/) ->/, tensor<4x11xf32>) ->/
}
/%54, %55 = nn.attention/{
s/ {/ bias by_key %alibi {/
s/) ->/, tensor<4x12xf32>) ->/
}

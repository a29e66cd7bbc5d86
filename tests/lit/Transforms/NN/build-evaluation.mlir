// RUN: zp-opt %s --nn-build-evaluation -o %t.after && FileCheck %s --input-file=%t.after
// Training is what it was, and what evaluation and logits give is the forward pass without dropout, with a pair of sums a row, as spelt by hand.
// RUN: zp-interpret --compare %s %t.after
// RUN: sed -e 's/probability = 0.5 : f64/probability = 0.0 : f64/' -e '/%loss/s/1xf64/4xf64/' -e 's/nn.add_state @loss_sum, %loss/nn.output "loss_sum", %loss/' -e 's/kind train_step/kind evaluate/' -e 's/@train_step/@evaluate/' %s > %t.expected
// RUN: zp-interpret --print %t.expected | grep -A1 'output loss_sum' > %t.want
// RUN: zp-interpret --print %t.after | grep -A1 'output loss_sum' > %t.got
// RUN: diff %t.want %t.got
// RUN: count 2 < %t.got
// Attention keeps its probabilities.
// RUN: sed 's/%d = nn.dropout.*/%d, %lse = nn.attention %e, %e, %e, %ids, %ids drops_by %%scalars {heads = 2 : i64, kv_heads = 2 : i64, length = 8 : i64, key_length = 8 : i64, scale = 0.5 : f64, dropout = 0.5 : f64, site = 3 : i64, nn.unit = 1 : i64} : (tensor<16x4xf32>, tensor<16x4xf32>, tensor<16x4xf32>, tensor<16xi32>, tensor<16xi32>, tensor<64xi8>) -> (tensor<16x4xf32>, tensor<2x16xf32>)/' %s | zp-opt --nn-build-evaluation | FileCheck %s --check-prefix=KEPT
// KEPT-LABEL: nn.program @train_step
// KEPT: nn.attention {{.*}} drops_by %{{.*}} {dropout = 5.000000e-01 : f64, {{.*}}site = 3 : i64}
// KEPT-LABEL: nn.program @evaluate
// KEPT: nn.attention %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} {heads = 2 : i64, key_length = 8 : i64, kv_heads = 2 : i64, length = 8 : i64, nn.unit = 1 : i64, scale = 5.000000e-01 : f64} :

nn.parameter @embed : tensor<7x4xf32> initial checkpoint {unit = 0 : i64, checkpoint = "embed"}
nn.state @loss_sum : tensor<1xf64>
// CHECK: nn.state @final_hidden : tensor<16x4xf32>
// CHECK-LABEL: nn.program @train_step
// CHECK: nn.dropout
// CHECK: nn.add_state @loss_sum
nn.program @train_step kind train_step attributes {rows = 2 : i64, length = 8 : i64} {
  %ids = nn.input "input_ids" : tensor<16xi32>
  %labels = nn.input "labels" : tensor<16xi32>
  %scalars = nn.input "scalars" : tensor<64xi8>
  %embed = nn.read @embed : tensor<7x4xf32>
  %e = nn.embedding %ids, %embed {nn.unit = 0 : i64} : (tensor<16xi32>, tensor<7x4xf32>) -> tensor<16x4xf32>
  %d = nn.dropout %e, %scalars {probability = 0.5 : f64, site = 0 : i64, length = 8 : i64, nn.unit = 1 : i64} : (tensor<16x4xf32>, tensor<64xi8>) -> tensor<16x4xf32>
  %loss = nn.linear_cross_entropy %d, %embed, %labels {chunk = 5 : i64, length = 8 : i64, nn.unit = 2 : i64} : (tensor<16x4xf32>, tensor<7x4xf32>, tensor<16xi32>) -> tensor<1xf64>
  nn.add_state @loss_sum, %loss : tensor<1xf64>
}
// CHECK-LABEL: nn.program @evaluate kind evaluate attributes {length = 8 : i64, rows = 2 : i64}
// CHECK-NOT: nn.dropout
// CHECK: %[[E:.+]] = nn.embedding
// CHECK: nn.store_state @final_hidden, %[[E]]
// CHECK: %[[L:.+]] = nn.linear_cross_entropy %[[E]], {{.*}} -> tensor<4xf64>
// CHECK: nn.output "loss_sum", %[[L]]
// CHECK-LABEL: nn.program @logits kind logits
// CHECK: %[[H:.+]] = nn.load_state @final_hidden
// CHECK: %[[R:.+]] = nn.rows %[[H]], %{{.*}} -> tensor<5x4xf32>
// CHECK: nn.linear %[[R]], %{{.*}} -> tensor<5x7xf32>
// CHECK: nn.output "logits"

#!/bin/sh
# Falcon-180B with LoRA on two hosts of eight A100 with 80 GB, from its config.json alone: the plan, what it takes of a device, and a
# simulated step on samples/clusters/two-a100-nodes.yaml. Nothing is trained: that needs the weights, the hosts and a CUDA build.
#
#   run.sh [FLAGS of zpc import]      e.g. run.sh --per_device_train_batch_size 1
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
bin=$root/build/bin
work=$root/samples/work/falcon-180b
mkdir -p "$work"
show() {
  echo "+ $*"
  "$@"
}
show "$bin/zpc" import --model "$root/samples/configs/falcon-180b" --bf16 true --zero_stage 3 --num_processes 16 \
  --lora_r 8 --lora_alpha 16 --lora_dropout 0.1 --lora_target_modules all-linear \
  --max_length 2048 --per_device_train_batch_size 8 --gradient_accumulation_steps 4 --rematerialize block "$@" -o "$work/model.mlir"
show "$bin/zpc" compile "$work/model.mlir" --target cuda --cluster "$root/samples/clusters/two-a100-nodes.yaml" -o "$work/plan.fb"
show "$bin/zpc" explain "$work/plan.fb" --memory
show "$bin/zpc" simulate "$work/plan.fb" --cluster "$root/samples/clusters/two-a100-nodes.yaml"

#!/usr/bin/env bash
# The PEFT guide's two runs, scaled to a laptop: the same command lines and YAML files, the small base model and the quickstart's chats,
# rows of 256 tokens, two ranks.
#
#   samples/quickstart.sh && samples/sft/laptop.sh            LoRA (run_peft_deepspeed.sh)
#   samples/sft/laptop.sh qlora                               QLoRA (run_peft_qlora_deepspeed_stage3.sh)
#   samples/sft/laptop.sh lora --learning_rate 3e-3           what follows goes on top; only what depends on it runs again
set -euo pipefail
cd "$(dirname "$0")/../.."

mode=${1:-lora}
[ $# -eq 0 ] || shift
case $mode in
  lora) script=run_peft_deepspeed ;;
  qlora) script=run_peft_qlora_deepspeed_stage3 ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
work=$PWD/samples/work model=$PWD/samples/base-model/model
[ -f "$work/chats-train.jsonl" ] || { echo "$0: $work has no chats; run samples/quickstart.sh first" >&2; exit 2; }
bash scripts/build.sh zp zpc zprun

mkdir -p "$work/splits"
cp "$work/chats-train.jsonl" "$work/splits/train.jsonl"
cp "$work/chats-validation.jsonl" "$work/splits/test.jsonl"
exec "samples/sft/$script.sh" --model_name_or_path "$model" --dataset_name "$work/splits" --output_dir "$work/sft-$mode" \
  --num_processes 2 --max_seq_len 256 --per_device_train_batch_size 4 --max_steps 60 "$@"

#!/usr/bin/env bash
# What the PEFT guide's two scripts of training under ZeRO-3 with CPU offload do, by zp and zpdata, with the guide's YAML as it stands: trains
# an adapter, prints memory, perplexity and loss of each epoch; after each lets the model answer a split, prints memory, accuracy and answers; at
# the end takes the nearest class for each row of the test split and writes predictions.csv (the scripts' do_test).
#
#   run.sh MODE MODEL DATA WORK EPOCHS SPLIT [flags of zp sft]
#
# MODE causal or seq2seq. DATA: train and test as CSV or Parquet, with `Tweet text`, `ID`, `Label`. SPLIT is what is answered after each
# epoch: the scripts answer the training rows; a test split that has labels says more. samples/causal and samples/seq2seq call it.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -ge 6 ] || { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mode=$1 model=$2 data=$3 work=$4 epochs=$5 split=$6
shift 6
columns=(--source_column "Tweet text" --target_column Label)
prompts=(--mode "$mode" --source_column "Tweet text" --max_new_tokens 10 --generation_batch_size 32)
[ "$mode" = causal ] && prompts+=(--max_prompt_length 64)
run() { echo "+ $*"; "$@"; }
file() { local found=("$data/$1".*); echo "${found[0]}"; }
# answer CHECKPOINT SPLIT FILE: a line of JSON a row
answer() {
  echo "+ zp generate --adapter_name_or_path $1 --prompts $(file "$2") > $3"
  build/bin/zp generate --model "$model" --adapter_name_or_path "$1" --prompts "$(file "$2")" "${prompts[@]}" --json --report_memory --quiet > "$3"
}

rm -rf "$work/out" # checkpoints of a run with other settings
run build/bin/zp sft --config_file samples/configs/accelerate_ds_zero3_cpu_offload_config.yaml --model_name_or_path "$model" \
  --dataset_name "$data" --splits train,test --mode "$mode" "${columns[@]}" --output_dir "$work/out" --use_peft_lora true --lora_r 8 \
  --lora_alpha 32 --lora_dropout 0.1 --per_device_train_batch_size 8 --num_train_epochs "$epochs" --learning_rate 3e-3 --weight_decay 0.01 \
  --lr_scheduler_type linear --warmup_steps 0 --bf16 false --gradient_checkpointing false --seed 42 --save_strategy epoch --report_memory true "$@"

epoch=0
for checkpoint in $(ls -d "$work"/out/checkpoint-* | sort -V); do
  echo "== epoch $epoch, $split"
  answer "$checkpoint" "$split" "$work/answers-$epoch.jsonl"
  build/bin/zpdata accuracy "$work/answers-$epoch.jsonl" "$(file "$split")" --target_column Label
  epoch=$((epoch + 1))
done

echo "== the test split, nearest classes"
answers=$work/answers-$((epoch - 1)).jsonl
if [ "$split" != test ]; then
  answers=$work/answers-test.jsonl
  answer "$work/out" test "$answers"
fi
run build/bin/zpdata classify "$answers" "$(file test)" --target_column Label --class_names "${CLASSES:-}" -o "$work/predictions.csv"
head -4 "$work/predictions.csv"

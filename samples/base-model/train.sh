#!/usr/bin/env bash
# Trains the base model of the samples from scratch: every parameter, by the same compiler and runtime as a fine-tuning.
# Needs what samples/quickstart.sh installs and builds; takes half an hour on two cores. Killed, it goes on from its last checkpoint.
#   samples/base-model/train.sh [--work DIR] [--output DIR]      working files [samples/work/base-model], the model [samples/base-model/model]
set -euo pipefail
cd "$(dirname "$0")/../.."

work=samples/work/base-model output=samples/base-model/model
while [ $# -gt 0 ]; do
  case "$1" in
    --work) work=${2:?--work needs a folder}; shift 2 ;;
    --output) output=${2:?--output needs a folder}; shift 2 ;;
    *) sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done
python=.venv/bin/python here=samples/base-model
# Debian's own library where it is, so that the text is the same whatever Python made the environment.
library=/usr/lib/python3.11
[ -d $library ] || library=$("$python" -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
mkdir -p "$work"

"$python" $here/make_corpus.py --library $library -o "$work/corpus.jsonl"
"$python" $here/make_corpus.py --library $library --validation -o "$work/validation.jsonl"
"$python" $here/make_tokenizer.py "$work/corpus.jsonl" --vocab_size 4096 -o "$work/start"
"$python" $here/make_model.py $here/config.json --dtype bfloat16 -o "$work/start"
for split in corpus validation; do
  build/bin/zpdata "$work/$split.jsonl" --tokenizer "$work/start" --max_length 256 --packing --packing_strategy wrapped \
    -o "$work/$split.safetensors"
done

build/bin/zpc import --model "$work/start" --use_peft_lora false --bf16 --zero_stage 0 --num_processes 1 \
  --max_length 256 --per_device_train_batch_size 16 --num_train_epochs 3 --learning_rate 2e-3 --lr_scheduler_type cosine \
  --warmup_steps 100 --weight_decay 0.1 --adam_beta2 0.95 --save_steps 100 --save_total_limit 2 --logging_steps 10 -o "$work/model.mlir"
build/bin/zpc compile "$work/model.mlir" -o "$work/plan.fb"
resume=()
ls -d "$work"/out/checkpoint-* >/dev/null 2>&1 && resume=(--resume_from_checkpoint latest)
build/bin/zprun "$work/plan.fb" --model "$work/start" --dataset "$work/corpus.safetensors" --output_dir "$work/out" "${resume[@]}"

for model in start out; do
  echo "validation, $model:"
  build/bin/zprun eval "$work/plan.fb" --model "$work/$model" --dataset "$work/validation.safetensors"
done
mkdir -p "$output"
cp "$work/out/model.safetensors" "$work/start/config.json" "$work/start/tokenizer.json" "$work/start/tokenizer_config.json" "$output/"
"$python" $here/loss_curve.py "$work/out/metrics.jsonl" -o $here/loss_curve.csv

#!/usr/bin/env bash
# From a fresh Debian 12 to a trained LoRA adapter: installs what is missing, builds ZeroPlan, makes real data and a small
# model, fine-tunes on two ranks under ZeRO-3, shows the loss and the adapter. Run it as root or with sudo at hand.
#
#   samples/quickstart.sh                    the small model, made on the spot
#   samples/quickstart.sh --model DIR        your own: config.json, *.safetensors, tokenizer.json
#   samples/quickstart.sh --model DIR --steps 100 --max_length 512 -- --bf16 --rematerialize block
# What follows `--` goes to `zpc import`. Files go to samples/work.
set -euo pipefail
cd "$(dirname "$0")/.."

model="" steps=40 ranks=2 length=128 work=samples/work
usage() { sed -n '2,9s/^# \{0,1\}//p' "$0"; }
while [ $# -gt 0 ]; do
  case "$1" in
    --model | --steps | --ranks | --max_length | --work)
      [ $# -ge 2 ] || { echo "$0: $1 needs a value; see $0 --help" >&2; exit 2; } ;;
  esac
  case "$1" in
    --model) model=$2; shift 2 ;;
    --steps) steps=$2; shift 2 ;;
    --ranks) ranks=$2; shift 2 ;;
    --max_length) length=$2; shift 2 ;;
    --work) work=$2; shift 2 ;;
    --) shift; break ;;
    -h | --help) usage; exit 0 ;;
    *) echo "$0: $1 is not a flag; see $0 --help" >&2; exit 2 ;;
  esac
done
say() { printf '\n== %s\n' "$*"; }
run() { echo "+ $*"; "$@"; }

say "1/6 what the build needs"
bash scripts/install-deps.sh
bash scripts/setup-venv.sh
python=.venv/bin/python

say "2/6 ZeroPlan itself"
bash scripts/build.sh zpc zprun

mkdir -p "$work"
chats=$work/chats.jsonl format=chatml rate=3e-3
if [ -z "$model" ]; then
  say "3/6 chats from Python's documentation, a tokenizer, a model of 20 million random weights"
  model=$work/model
  run "$python" samples/quickstart/make_chats.py -o "$chats"
  run "$python" samples/quickstart/make_tokenizer.py "$chats" --vocab_size 8192 -o "$model"
  run "$python" samples/quickstart/make_model.py samples/configs/llama-20m/config.json -o "$model"
else
  say "3/6 chats from Python's documentation, for the model in $model"
  format=none rate=1e-4 plain=--plain
  # A model that has a chat template reads chats; for others they are plain text.
  if [ -f "$model/chat_template.jinja" ] || grep -q '"chat_template"' "$model/tokenizer_config.json" 2>/dev/null; then plain=; fi
  run "$python" samples/quickstart/make_chats.py $plain -o "$chats"
fi

say "4/6 text to tokens"
run build/bin/zpdata "$chats" --tokenizer "$model" --chat_template_format $format --max_length "$length" --packing \
  -o "$work/tokens.safetensors"
build/bin/zpdata show "$work/tokens.safetensors" --row 3

say "5/6 the fine-tuning, compiled to a plan"
run build/bin/zpc import --model "$model" --lora_r 8 --lora_alpha 16 --lora_target_modules all-linear \
  --zero_stage 3 --num_processes "$ranks" --per_device_train_batch_size 2 --max_length "$length" --max_steps "$steps" \
  --learning_rate $rate --lr_scheduler_type cosine --warmup_steps 4 "$@" -o "$work/model.mlir"
run build/bin/zpc compile "$work/model.mlir" -o "$work/plan.fb"

say "6/6 the plan, run on $ranks ranks"
rm -rf "$work/out"
run build/bin/zprun "$work/plan.fb" --model "$model" --dataset "$work/tokens.safetensors" --output_dir "$work/out" -n "$ranks"
say "what it made"
"$python" samples/quickstart/show_run.py "$work/out"

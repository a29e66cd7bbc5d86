#!/usr/bin/env bash
# From a fresh Debian 12 to a trained LoRA adapter: installs what is missing, builds ZeroPlan, fine-tunes the small base model of
# samples/base-model on two ranks under ZeRO-3, on questions and answers made on the spot from Python's documentation; shows the
# loss on modules that neither has seen, and an answer, before and after. Run it as root or with sudo at hand.
#
#   samples/quickstart.sh                    the base model of this repository
#   samples/quickstart.sh --model DIR        your own: config.json, *.safetensors, tokenizer.json
#   samples/quickstart.sh --model DIR --steps 100 --max_length 512 -- --bf16 --rematerialize block
# What follows `--` goes to `zpc import`. Files go to samples/work.
set -euo pipefail
cd "$(dirname "$0")/.."

model="" steps=150 ranks=2 length=256 work=samples/work
usage() { sed -n '2,10s/^# \{0,1\}//p' "$0"; }
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
bash scripts/install-cudnn-frontend.sh
python=.venv/bin/python

say "2/6 ZeroPlan itself"
bash scripts/build.sh zpc zprun zp

mkdir -p "$work"
say "3/6 chats from Python's documentation"
format=chatml template=chatml rate=2e-3 plain=
if [ -z "$model" ]; then
  model=samples/base-model/model
else
  rate=1e-4
  # A model that has a chat template reads chats; for others they are plain text.
  format=none template=own
  if [ ! -f "$model/chat_template.jinja" ] && ! grep -q '"chat_template"' "$model/tokenizer_config.json" 2>/dev/null; then plain=--plain template=none; fi
fi
for split in train validation; do
  run "$python" samples/quickstart/make_chats.py --split $split $plain -o "$work/chats-$split.jsonl"
done

say "4/6 text to tokens"
for split in train validation; do
  run build/bin/zpdata "$work/chats-$split.jsonl" --tokenizer "$model" --chat_template_format $format --max_length "$length" --packing \
    -o "$work/tokens-$split.safetensors"
done
build/bin/zpdata show "$work/tokens-train.safetensors" --row 3

say "5/6 the fine-tuning, compiled to a plan"
run build/bin/zpc import --model "$model" --lora_r 8 --lora_alpha 16 --lora_target_modules all-linear \
  --zero_stage 3 --num_processes "$ranks" --per_device_train_batch_size 4 --max_length "$length" --max_steps "$steps" \
  --learning_rate $rate --lr_scheduler_type cosine --warmup_steps 10 --logging_steps 5 "$@" -o "$work/model.mlir"
run build/bin/zpc compile "$work/model.mlir" -o "$work/plan.fb"

say "6/6 the plan, run on $ranks ranks"
rm -rf "$work/out"
run build/bin/zprun "$work/plan.fb" --model "$model" --dataset "$work/tokens-train.safetensors" --output_dir "$work/out" -n "$ranks"

say "what it made"
"$python" samples/quickstart/show_run.py "$work/out"
say "on modules that it has not seen"
"$python" samples/quickstart/before_and_after.py --work "$work" --model "$model" -n "$ranks" \
  --prompt 'What does `asyncio.Queue.get` do?' --chat_template_format "$template"

#!/usr/bin/env bash
# The PEFT guide's script of conditional generation under ZeRO-3 with CPU offload (peft_lora_seq2seq_accelerate_ds_zero3_offload.py), scaled to
# a laptop: a T5 of 0.4 million parameters, which the sample first pre-trains from nothing on messages with blanks, learns to say of a
# message whether it is a complaint, from 2400 rows of three classes that are made on the spot, and is asked about 300 others after
# each of twelve epochs. bart-large.sh is the full size.
#
#   samples/seq2seq/laptop.sh [flags of zp sft]      files go to samples/work/seq2seq
set -euo pipefail
cd "$(dirname "$0")/../.."
case "${1:-}" in -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
work=samples/work/seq2seq python=.venv/bin/python
run() { echo "+ $*"; "$@"; }
bash scripts/build.sh zp zpc zprun
run "$python" samples/tweets/make_tweets.py -o "$work/tweets"
if [ ! -f "$work/base/model.safetensors" ]; then
  echo "== pre-training, no label in it"
  run "$python" samples/tweets/make_tweets.py --seed 1 --rows 3000 --held_out 0 --apart_from "$work/tweets/test.csv" -o "$work/messages"
  run "$python" samples/seq2seq/make_t5.py "$work/messages/train.csv" -o "$work/start"
  run "$python" samples/seq2seq/make_blanks.py "$work/messages/train.csv" -o "$work/blanks.jsonl"
  run build/bin/zpdata "$work/blanks.jsonl" --tokenizer "$work/start" --mode seq2seq --max_source_length 24 --max_target_length 8 \
    -o "$work/blanks.safetensors"
  run build/bin/zpc import --model "$work/start" --use_peft_lora false --max_source_length 24 --max_target_length 8 \
    --per_device_train_batch_size 16 --num_train_epochs 5 --learning_rate 3e-3 --lr_scheduler_type linear --logging_steps 100 -o "$work/base.mlir"
  run build/bin/zpc compile "$work/base.mlir" -o "$work/base.fb"
  run build/bin/zprun "$work/base.fb" --model "$work/start" --dataset "$work/blanks.safetensors" --output_dir "$work/base" -n 1
  cp "$work/start/tokenizer.json" "$work/start/tokenizer_config.json" "$work/base/"
fi
CLASSES="Unlabeled,complaint,no complaint" exec samples/tweets/run.sh seq2seq "$work/base" "$work/tweets" "$work" 12 test \
  --lora_target_modules q,k,v,o,wi,wo --max_source_length 24 --max_target_length 8 "$@"

#!/usr/bin/env bash
# The PEFT guide's script of causal language modelling under ZeRO-3 with CPU offload (peft_lora_clm_accelerate_ds_zero3_offload.py), scaled to a
# laptop: the small Llama of samples/base-model learns to say of a message whether it is a complaint, from 2400 rows of three classes that
# are made on the spot, and is asked about 300 others after each of three epochs. bloomz.sh is the full size.
#
#   samples/causal/laptop.sh [flags of zp sft]       files go to samples/work/causal
set -euo pipefail
cd "$(dirname "$0")/../.."
case "${1:-}" in -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
work=samples/work/causal
bash scripts/build.sh zp zpc zprun
.venv/bin/python samples/tweets/make_tweets.py -o "$work/tweets"
CLASSES="Unlabeled,complaint,no complaint" exec samples/tweets/run.sh causal samples/base-model/model "$work/tweets" "$work" 3 test \
  --lora_target_modules q_proj,v_proj --max_length 64 "$@"

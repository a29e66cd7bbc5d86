#!/usr/bin/env bash
# The PEFT guide's script of causal language modelling under ZeRO-3 with CPU offload (peft_lora_clm_accelerate_ds_zero3_offload.py) at its
# full size: bigscience/bloomz-7b1 on RAFT's twitter_complaints, 20 epochs of 50 rows. Model and data are directories here:
#   hf download bigscience/bloomz-7b1 --local-dir bigscience/bloomz-7b1
#   hf download ought/raft --repo-type dataset --include "data/twitter_complaints/*" …, train and test as DIR/train.* and DIR/test.*
#
#   samples/causal/bloomz.sh DIR [flags of zp sft]
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
data=$1
shift
CLASSES="Unlabeled,complaint,no complaint" exec "$(dirname "$0")/../tweets/run.sh" causal bigscience/bloomz-7b1 "$data" \
  twitter_complaints_bigscience_bloomz-7b1_PeftType.LORA_TaskType.CAUSAL_LM 20 train --lora_target_modules query_key_value --max_length 64 \
  --reference_quirks true "$@"

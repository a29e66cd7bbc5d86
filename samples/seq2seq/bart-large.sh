#!/usr/bin/env bash
# The PEFT guide's script of conditional generation under ZeRO-3 with CPU offload (peft_lora_seq2seq_accelerate_ds_zero3_offload.py) at its full
# size: facebook/bart-large on RAFT's twitter_complaints, 5 epochs of 50 rows. Model and data are directories here:
#   hf download facebook/bart-large --local-dir facebook/bart-large
#   hf download ought/raft --repo-type dataset --include "data/twitter_complaints/*" …, train and test as DIR/train.* and DIR/test.*
#
#   samples/seq2seq/bart-large.sh DIR [flags of zp sft]
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
data=$1
shift
CLASSES="Unlabeled,complaint,no complaint" exec "$(dirname "$0")/../tweets/run.sh" seq2seq facebook/bart-large "$data" \
  twitter_complaints_facebook_bart-large_PeftType.LORA_TaskType.SEQ_2_SEQ_LM 5 train --lora_target_modules q_proj,v_proj \
  --max_source_length 128 --max_target_length 8 --reference_quirks true "$@"

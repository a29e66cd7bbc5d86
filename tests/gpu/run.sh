#!/usr/bin/env bash
# What a machine with a GPU must show of a built tree: a row a promise, one table. Builds nothing. A call takes less than ten minutes: rows that
# its time, or their own, cut short have failed. Closes with the table, its lines for a README, and `N passed, N failed, N left out`; exit
# status 0 when nothing failed. Left out is what this machine can't try, and why; it has not passed.
#   [BUILD=build] [PYTHON=.venv/bin/python] [PEFT_PYTHON=$PYTHON] [RESULTS=folder] tests/gpu/run.sh [STEP …]
# Steps (README.md says what each shows): kernels golden bench are the default; the others are for calls of their own. RESULTS gets the table,
# after every row, and the rows' logs.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
PATH=$PATH:/usr/local/cuda/bin
build=${BUILD:-build} python=${PYTHON:-.venv/bin/python}
peft=${PEFT_PYTHON:-$python}
most=${MOST:-560} # seconds of all rows
# What a rehearsal has smaller; and larger: by how much rows may take longer.
shapes=${SHAPES:-samples/configs} length=${LENGTH:-2048} cases=${CASES:-} patience=${PATIENCE:-1}
read -ra rates_program <<<"${RATES:-$build/tests/bin/cuda_rates}"
steps=("$@")
[ $# -gt 0 ] || steps=(kernels golden bench)
for step in "${steps[@]}"; do
  case $step in
    kernels | sanitizers | golden | bench | generate | peft | llama-3-8b | large | faults | peers) ;;
    *) echo "$0: no step $step, expected kernels, sanitizers, golden, bench, generate, peft, llama-3-8b, large, faults or peers" >&2; exit 2 ;;
  esac
done
suite=$build/tests/bin/cuda_conformance_test
for program in "$suite" "${rates_program[0]}" "$build/bin/zpc" "$build/bin/zprun"; do
  [ -x "$program" ] || { echo "$0: no $program, expected a build where nvcc was found; run scripts/build.sh there, or set BUILD" >&2; exit 2; }
done
"$python" -c '' 2>/dev/null || { echo "$0: $python doesn't run, expected an interpreter; run scripts/setup-venv.sh, or set PYTHON" >&2; exit 2; }
nvidia-smi --query-gpu=name --format=csv,noheader >/dev/null || { echo "$0: nvidia-smi finds no GPU" >&2; exit 2; }

# cuBLASLt, cuDNN and NCCL may be there as PyTorch's packages alone, of another CUDA maybe: only where the system has none.
libraries=$("$peft" tests/gpu/libraries.py 2>/dev/null)
export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH${libraries:+:}}$libraries

work=$(mktemp -d) passed=0 failed=0 left=0 table=() figures=() running="" child="" versions=""
begin() { versions=$("$python" tests/gpu/versions.py 2>/dev/null) || versions="$(date +%F), versions unknown"; }

# record VERDICT NAME SECONDS TEXT: a line of the table, which is shown and kept at once: whoever ends this script loses none.
record() {
  table+=("$(printf '%-4s %-52s %4d s  %s' "$@")")
  figures+=("| $2 | $([ "$1" = ok ] || echo "**$1** ")$4 |")
  echo "${table[-1]}"
  [ -n "${RESULTS:-}" ] || return 0
  printf '%s\n' "$versions" "${table[@]}" >"$RESULTS/table.txt"
  { echo "== $2" && cat "$log"; } >>"$RESULTS/log.txt"
}
finish() {
  trap - EXIT TERM INT HUP
  if [ -n "$running" ]; then # a signal ended it
    failed=$((failed + 1))
    record FAIL "$running" $((SECONDS - began)) "cut short: $(grep -v '^ *$' "$log" 2>/dev/null | tail -n 1)"
  fi
  printf '\nFor a README:\n\n%s, %s:\n\n| | |\n|---|---|\n' "$versions" "tests/gpu/run.sh ${steps[*]}"
  printf '%s\n' "${figures[@]}" "" "$versions" "${table[@]}" # the table last: of a long output the end is what is kept
  echo "$passed passed, $failed failed, $left left out"
  rm -rf "$work"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit $? # alone, it would be what was before the trap
}
trap finish EXIT
trap 'kill "$child" 2>/dev/null; wait "$child" 2>/dev/null; exit 1' TERM INT HUP

# row SECONDS NAME COMMAND…: runs it with its output in a log; the last line goes into the table.
row() {
  local limit=$(($1 * patience)) name=$2 status=0 last
  shift 2
  log=$work/${name//[^a-zA-Z0-9]/_}.log began=$SECONDS running=$name
  echo "== $name"
  [ "$limit" -le $((most - SECONDS)) ] || limit=$((most - SECONDS))
  if [ "$limit" -gt 0 ]; then
    timeout -k 5 "$limit" "$@" >"$log" 2>&1 & # in the background: a signal is heard while it runs
    child=$!
    wait "$child" || status=$?
  else
    echo "no time was left" >"$log" && status=124
  fi
  running=""
  last=$(grep -v '^ *$' "$log" | tail -n 1)
  case $status in
    0) passed=$((passed + 1)) && record ok "$name" $((SECONDS - began)) "$last" ;;
    77) left=$((left + 1)) && record left "$name" $((SECONDS - began)) "$last" ;;
    *)
      failed=$((failed + 1))
      tail -n 20 "$log"
      [ "$status" -ne 124 ] || last="not done in time: $last"
      [ "$status" -ne 137 ] || last="killed: $last" # by the system for its memory, or by us: it heard no TERM
      record FAIL "$name" $((SECONDS - began)) "$last" ;;
  esac
}

# sanitized TOOL FLAGS… -- COMMAND…: only kernels of ours, which share a namespace: cuBLAS is not ours to mend.
sanitized() {
  local tool=$1 name=$2 filter=() flags=()
  shift 2
  while [ "$1" != -- ]; do flags+=("$1") && shift; done
  shift
  # Not by a pipe: who is told enough ends it, which would read as a failure.
  if [[ $(compute-sanitizer --help) == *--kernel-regex* ]]; then filter=(--kernel-regex kns=2zp2rt4cuda); else filter=(--kernel-name kns=2zp2rt4cuda); fi
  row 105 "$name" compute-sanitizer --target-processes all --tool "$tool" --error-exitcode 1 "${filter[@]}" "${flags[@]}" "$@"
}
# Cases of a size that can be watched.
sanitizer() { sanitized "$1" "$1" -- "$suite" --gtest_filter=-Gradient.*:NF4MatmulFormats.*:NF4MatmulBranch.*:ColumnSum.*:MatmulBranch.*; }

small_plan() {
  "$build/bin/zpc" import --model "$shapes/llama-20m" --lora_r 8 --lora_target_modules all-linear --max_length $((length < 128 ? length : 128)) --bf16 true \
    --use_4bit_quantization true --use_nested_quant true --rematerialize block -o "$work/small.mlir" &&
    "$build/bin/zpc" compile "$work/small.mlir" --target cuda -o "$work/small.fb"
}
golden() {
  local name=$1
  shift
  [ -z "$cases" ] || few=(--case "$cases")
  row 120 "$name" "$python" tests/gpu/golden.py "${few[@]}" -- --bin "$build/bin" --extra_compile_flags="--target cuda" "$@"
}
declare -A done_rows # those that several steps ask for: once a call
# The matmul peak.
rates() {
  [ -z "${done_rows[rates]:-}" ] || return 0
  done_rows[rates]=yes
  row 60 "matmul peak and copy bandwidth" "$python" tests/gpu/rates.py measure "$work/rates.json" -- "${rates_program[@]}"
}
# bench SECONDS NAME KEPT MODEL FLAGS… -- BARS…: packed rows of 2048, 4 rows an update unless said, r 8 on all linears, random weights; bars of
# speed.py. What it measured is kept for other rows.
bench() {
  local seconds=$1 name=$2 kept=$3 flags=(--model "$shapes/$4" --lora_r 8 --lora_target_modules all-linear --max_length "$length" --bf16 true)
  shift 4
  [ -z "${done_rows[$kept]:-}" ] || return 0
  done_rows[$kept]=yes
  rates
  while [ "$1" != -- ]; do flags+=("$1") && shift; done
  shift
  row "$seconds" "$name" "$python" tests/gpu/speed.py --bin "$build/bin" --plan "$work/$kept.fb" --keep "$work/$kept.json" --rates "$work/rates.json" "$@" -- "${flags[@]}"
}
# figure WHAT NAME KEPT
figure() { row 10 "$2" "$python" tests/gpu/figure.py "$1" "$work/$3.json"; }

# generates PROMPTS MODEL: 4-bit weights, prompts of 128 tokens, rows of 512.
generates() {
  rates
  row 90 "$2 NF4 generates, prompts: $1" "$python" tests/gpu/generation.py --bin "$build/bin" --plan "$work/$2-generates-$1.fb" --rates "$work/rates.json" -- \
    --model "$shapes/$2" --generate true --generation_batch_size "$1" --max_length $((length / 4)) --prefill_length $((length / 16)) --bf16 true "${four_bit[@]}"
}

checkpointed=(--per_device_train_batch_size 4 --rematerialize block)
four_bit=(--use_4bit_quantization true --use_nested_quant true)
on_host=(--zero_stage 3 --offload_param_device cpu)
# lora MODEL BAR, qlora MODEL: ours, checkpointed.
lora() {
  bench 100 "$1 LoRA, checkpointed" "$1-lora" "$1" "${checkpointed[@]}" -- --h200_at_least "$2"
}
qlora() {
  bench 120 "$1 QLoRA nested, checkpointed" "$1-qlora" "$1" "${checkpointed[@]}" "${four_bit[@]}" -- --of "$work/$1-lora.json" --ratio_at_least 0.95
}
ours() { # MODEL, its bar checkpointed, and that without
  lora "$1" "$2"
  figure startup "$1 LoRA, start-up besides weights" "$1-lora"
  figure growth "$1 LoRA, no memory taken after step 1" "$1-lora"
  qlora "$1"
  figure growth "$1 QLoRA, no memory taken after step 1" "$1-qlora"
  bench 100 "$1 LoRA, nothing recomputed" "$1-whole" "$1" --per_device_train_batch_size 4 -- --h200_at_least "$3"
  # 13 GB of bf16 cross the bus twice an update, and forward has too little work to hide them: 0.8 by paper. 0.9 is asked of 4-bit 70B.
  bench 100 "$1 LoRA, weights on the host" "$1-host" "$1" "${checkpointed[@]}" "${on_host[@]}" -- --of "$work/$1-lora.json" --ratio_at_least 0.7
}
beside_peft() { # MODEL
  row 150 "$1 LoRA beside PEFT" "$python" tests/gpu/beside_peft.py --ours "$work/$1-lora.json" --ratio_at_least 1.5 --python "$peft" -- \
    --config "$shapes/$1" --length "$length"
  row 150 "$1 QLoRA beside PEFT and bitsandbytes" "$python" tests/gpu/beside_peft.py --ours "$work/$1-qlora.json" --ratio_at_least 1.8 --python "$peft" -- \
    --config "$shapes/$1" --length "$length" --four_bit
}
fault() { # SECONDS NAME FAULT
  row "$1" "$2" "$python" tests/gpu/faults.py --bin "$build/bin" "$3" -- --model "$shapes/llama-2-7b" --lora_r 8 --lora_target_modules all-linear \
    --max_length "$length" --bf16 true
}

begin
for step in "${steps[@]}"; do
  case $step in
    kernels)
      rates
      row 10 "NF4 dequantisation" "$python" tests/gpu/rates.py dequantize "$work/rates.json"
      row 150 "kernels against references" "$suite"
      # Kernels for each case are compiled first. The last line but the verdict says what cuDNN left.
      row 90 "attention by cuDNN against references" env ZP_DEVICE_ATTENTION=fused "$suite" --gtest_filter=*Attention* ;;
    sanitizers)
      if command -v compute-sanitizer >/dev/null; then
        for tool in memcheck racecheck synccheck initcheck; do sanitizer "$tool"; done
        # Shadow mode guards a CPU plan's buffers. A GPU's plan is the same but for its kernels; that no kernel of it reads outside of the arena
        # is what can be watched there. Not that none reads what nobody wrote: what cuBLASLt and cuDNN write isn't watched.
        small_plan >"$work/small.log" 2>&1 || cat "$work/small.log"
        sanitized memcheck "for shadow mode: a plan under memcheck" -- "$build/bin/zprun" bench "$work/small.fb" --warm_up 1 --steps 1
      else
        row 1 "sanitizers" sh -c 'echo "no compute-sanitizer in PATH, expected that of the CUDA toolkit"; exit 77'
      fi ;;
    golden)
      few=()
      golden "golden runs of PEFT, one rank" --ranks 1 --zero_stage 0
      few=(--case llama_gqa_fp32 --case llama_gqa_bf16 --case llama_qlora_nested --case bloom_left_padded --case t5_qv)
      export ZP_DEVICE_COLLECTIVES=staged # the ranks share the GPU
      golden "golden runs of PEFT, two ranks" --ranks 2 --zero_stage 3
      unset ZP_DEVICE_COLLECTIVES
      [ "$(nvidia-smi --query-gpu=name --format=csv,noheader | wc -l)" -lt 2 ] || golden "golden runs of PEFT, two GPUs over NCCL" --ranks 2 --zero_stage 3
      golden "golden runs, all offloaded to the host" --ranks 1 --zero_stage 3 \
        --extra_import_flags="--offload_param_device cpu --offload_optimizer_device cpu --offload_activation_device cpu --rematerialize block" ;;
    bench) ours llama-2-7b 12500 18000 ;;
    generate)
      for prompts in 1 8; do generates "$prompts" llama-2-7b; done
      generates 8 llama-2-70b ;;
    peft)
      lora llama-2-7b 12500
      qlora llama-2-7b
      beside_peft llama-2-7b ;;
    llama-3-8b) # its bars are Llama-2-7B's by the FLOPs of a token, 42.1 to 46.7 GFLOP checkpointed, 28.5 to 32.1 whole
      ours llama-3-8b 11250 16000
      beside_peft llama-3-8b ;;
    large)
      bench 400 "llama-2-70b QLoRA nested" llama-2-70b-qlora llama-2-70b "${checkpointed[@]}" "${four_bit[@]}" -- \
        --warm_up 3 --steps 4 --h200_at_least 1200
      figure growth "llama-2-70b QLoRA, no memory taken after step 1" llama-2-70b-qlora
      bench 400 "llama-2-70b QLoRA, weights on the host" llama-2-70b-host llama-2-70b "${checkpointed[@]}" "${four_bit[@]}" "${on_host[@]}" -- \
        --warm_up 2 --steps 4 --of "$work/llama-2-70b-qlora.json" --ratio_at_least 0.9
      bench 400 "llama-2-70b QLoRA, everything on the host" llama-2-70b-offloaded llama-2-70b --per_device_train_batch_size 2 --rematerialize block \
        "${four_bit[@]}" "${on_host[@]}" --offload_optimizer_device cpu --offload_activation_device cpu -- --warm_up 1 --steps 2 --device_at_most 4.5e9 ;;
    faults)
      fault 20 "no driver" no-driver
      fault 20 "an older driver" old-driver
      fault 30 "a plan for a larger GPU" small-gpu
      fault 60 "memory held by another process" held-memory
      fault 90 "a launch error amid training" trap
      fault 90 "a memory error amid training" ecc ;;
    peers)
      for how in killed killed-apart trap; do
        row 100 "two ranks on the GPU, one lost: $how" "$python" tests/gpu/lost_peer.py --bin "$build/bin" "$how"
      done ;;
  esac
done

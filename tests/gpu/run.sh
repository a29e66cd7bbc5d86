#!/usr/bin/env bash
# What a machine with a GPU must show of a built tree, in less than ten minutes: kernels against their references, the same under
# compute-sanitizer, golden runs of PEFT through the CUDA target, and speed. Builds nothing. Closes with a table and `N passed, N failed`; exit
# status 0 when nothing failed. A row that its time, or the ten minutes, cut short has failed.
#   [BUILD=build] [PYTHON=.venv/bin/python] tests/gpu/run.sh [kernels|sanitizers|golden|bench …]      all four, in this order
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
PATH=$PATH:/usr/local/cuda/bin
build=${BUILD:-build} python=${PYTHON:-.venv/bin/python}
most=580 # seconds of all rows
steps=("$@")
[ $# -gt 0 ] || steps=(kernels sanitizers golden bench)
for step in "${steps[@]}"; do
  case $step in
    kernels | sanitizers | golden | bench) ;;
    *) echo "$0: no step $step, expected kernels, sanitizers, golden or bench" >&2; exit 2 ;;
  esac
done
suite=$build/tests/bin/cuda_conformance_test
for program in "$suite" "$build/bin/zpc" "$build/bin/zprun"; do
  [ -x "$program" ] || { echo "$0: no $program, expected a build where nvcc was found; run scripts/build.sh there, or set BUILD" >&2; exit 2; }
done
"$python" -c '' 2>/dev/null || { echo "$0: $python doesn't run, expected an interpreter; run scripts/setup-venv.sh, or set PYTHON" >&2; exit 2; }
gpu=$(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader) || { echo "$0: nvidia-smi finds no GPU" >&2; exit 2; }
work=$(mktemp -d) passed=0 failed=0 table=()
trap 'rm -rf "$work"' EXIT

# row SECONDS NAME COMMAND…: runs it with its output in a log; the last line goes into the table.
row() {
  local limit=$1 name=$2 log=$work/${2//[^a-zA-Z0-9]/_}.log status=0 began=$SECONDS last
  shift 2
  echo "== $name"
  [ "$limit" -le $((most - SECONDS)) ] || limit=$((most - SECONDS))
  if [ "$limit" -gt 0 ]; then
    timeout -k 5 "$limit" "$@" >"$log" 2>&1 || status=$?
  else
    echo "no time was left" >"$log" && status=124
  fi
  last=$(grep -v '^ *$' "$log" | tail -n 1)
  if [ "$status" -eq 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    tail -n 20 "$log"
    [ "$status" -ne 124 ] || last="not done in time: $last"
  fi
  table+=("$(printf '%-4s %-44s %4d s  %s' "$([ "$status" -eq 0 ] && echo ok || echo FAIL)" "$name" $((SECONDS - began)) "$last")")
}

# Only kernels of ours, which share a namespace, and cases of a size that can be watched: cuBLAS is not ours to mend.
sanitizer() {
  local tool=$1 filter=()
  shift
  if compute-sanitizer --help | grep -q -e --kernel-regex; then filter=(--kernel-regex kns=2zp2rt4cuda); else filter=(--kernel-name kns=2zp2rt4cuda); fi
  row 60 "$tool" compute-sanitizer --tool "$tool" --error-exitcode 1 "${filter[@]}" "$@" "$suite" \
    --gtest_filter=-Gradient.*:NF4MatmulFormats.*:NF4MatmulBranch.*:ColumnSum.*:MatmulBranch.*
}
golden() {
  local name=$1
  shift
  row 75 "$name" "$python" tests/integration/golden_test.py --bin "$build/bin" --extra_compile_flags="--target cuda" "$@"
}
# bench NAME FLAGS… -- BARS…: llama-2-7b, packed rows of 2048, 8192 tokens an update, r 8 on all linears, random weights; bars of speed.py.
bench() {
  local name=$1 flags=() plan=$work/${1//[^a-zA-Z0-9]/_}.fb
  shift
  while [ "$1" != -- ]; do flags+=("$1") && shift; done
  shift
  row 75 "$name" "$python" tests/gpu/speed.py --bin "$build/bin" --plan "$plan" "$@" -- --model samples/configs/llama-2-7b --lora_r 8 \
    --lora_target_modules all-linear --max_length 2048 --bf16 true --per_device_train_batch_size 4 "${flags[@]}"
}

few=(--case llama_gqa_fp32 --case llama_gqa_bf16 --case llama_qlora_nested --case bloom_left_padded --case t5_qv)
for step in "${steps[@]}"; do
  case $step in
    kernels)
      row 90 "kernels against references" "$suite"
      # Kernels for each case are compiled first. The last line but the verdict says what cuDNN left.
      row 90 "attention by cuDNN against references" env ZP_DEVICE_ATTENTION=fused "$suite" --gtest_filter=*Attention* ;;
    sanitizers)
      if command -v compute-sanitizer >/dev/null; then
        for tool in memcheck racecheck synccheck initcheck; do sanitizer "$tool"; done
      else
        row 1 "sanitizers" sh -c 'echo "no compute-sanitizer in PATH, expected that of the CUDA toolkit"; exit 1'
      fi ;;
    golden)
      golden "golden runs of PEFT, one rank" --ranks 1 --zero_stage 0
      export ZP_DEVICE_COLLECTIVES=staged # the ranks share the GPU
      golden "golden runs of PEFT, two ranks" --ranks 2 --zero_stage 3 "${few[@]}"
      unset ZP_DEVICE_COLLECTIVES
      golden "golden runs, all offloaded to the host" --ranks 1 --zero_stage 3 "${few[@]}" \
        --extra_import_flags="--offload_param_device cpu --offload_optimizer_device cpu --offload_activation_device cpu --rematerialize block" ;;
    bench)
      bench "llama-2-7b LoRA, checkpointed" --rematerialize block -- --h200_at_least 12500 --keep "$work/lora"
      bench "llama-2-7b QLoRA nested, checkpointed" --rematerialize block --use_4bit_quantization true --use_nested_quant true -- \
        --of "$work/lora" --ratio_at_least 0.95
      bench "llama-2-7b LoRA, nothing recomputed" -- --h200_at_least 18000
      bench "llama-2-7b LoRA, weights on the host" --rematerialize block --zero_stage 3 --offload_param_device cpu -- --of "$work/lora" --ratio_at_least 0.9 ;;
  esac
done
printf '\n%s\n' "$gpu"
printf '%s\n' "${table[@]}"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

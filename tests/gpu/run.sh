#!/usr/bin/env bash
# What a machine with a GPU must show of a built tree: kernels against their references, golden runs of PEFT through the CUDA target, and
# speed. Builds nothing. Closes with a table and `N passed, N failed`; exit status 0 when nothing failed.
#   tests/gpu/run.sh [BUILD]      the build folder (build)
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
suite=$build/tests/bin/cuda_conformance_test
[ -x "$suite" ] || { echo "$0: no $suite, expected a build where nvcc was found; run scripts/build.sh there" >&2; exit 2; }
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || { echo "$0: nvidia-smi finds no GPU" >&2; exit 2; }
work=$(mktemp -d) passed=0 failed=0 table=()
trap 'rm -rf "$work"' EXIT

# row NAME COMMAND…: runs it with its output in a log; the last line goes into the table.
row() {
  local name=$1 log=$work/${1// /_}.log
  shift
  echo "== $name"
  if "$@" >"$log" 2>&1; then passed=$((passed + 1)); else failed=$((failed + 1)); tail -n 20 "$log"; fi
  table+=("$(printf '%-44s %s' "$name" "$(grep -v '^$' "$log" | tail -n 1)")")
}
python=.venv/bin/python
row "kernels against references" "$suite"
if command -v compute-sanitizer >/dev/null; then
  row "memcheck" compute-sanitizer --tool memcheck --error-exitcode 1 "$suite"
  row "racecheck" compute-sanitizer --tool racecheck --error-exitcode 1 "$suite"
fi
row "golden runs of PEFT, one rank" "$python" tests/integration/golden_test.py --bin "$build/bin" --extra_compile_flags="--target cuda" --ranks 1 --zero_stage 0
row "golden runs of PEFT, two ranks" env ZP_DEVICE_COLLECTIVES=staged "$python" tests/integration/golden_test.py --bin "$build/bin" \
  --extra_compile_flags="--target cuda" --ranks 2 --zero_stage 3
# bench NAME CONFIG FLAGS…: packed rows of 2048, r 8 on all linears, blocks recomputed, random weights.
bench() {
  local name=$1 config=$2
  shift 2
  "$build/bin/zpc" import --model "samples/configs/$config" --lora_r 8 --lora_target_modules all-linear --max_length 2048 --bf16 true \
    --per_device_train_batch_size 2 --rematerialize block "$@" -o "$work/m.mlir" &&
    "$build/bin/zpc" compile "$work/m.mlir" --target cuda -o "$work/m.fb" && row "$name" "$build/bin/zprun" bench "$work/m.fb" --steps 10
}
bench "llama-2-7b LoRA, tokens/s" llama-2-7b
bench "llama-2-7b QLoRA nested, tokens/s" llama-2-7b --use_4bit_quantization true --use_nested_quant true
printf '\n'
printf '%s\n' "${table[@]}"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

#!/usr/bin/env bash
# Every test, from a clean clone of the project on a fresh Debian 12: installs what they need, builds, runs the suites, and
# closes with `N passed, N failed`. Exit status 0 when nothing failed.
#   tests/run.sh [SUITE…]      only these: unit lit python integration
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

suites=("$@")
[ $# -gt 0 ] || suites=(unit lit python integration)
for name in "${suites[@]}"; do
  case $name in
    unit | lit | python | integration) ;;
    *) echo "$0: no suite $name, expected unit, lit, python or integration" >&2; exit 2 ;;
  esac
done
python=.venv/bin/python
lit=/usr/lib/llvm-22/bin/lit
logs=build/test-logs
passed=0 failed=0 skipped=0

{ bash scripts/install-deps.sh && bash scripts/setup-venv.sh tests/requirements.txt && bash scripts/install-cudnn-frontend.sh &&
  bash scripts/build.sh && mkdir -p "$logs"; } || {
  echo "== the build failed" >&2
  echo "0 passed, 1 failed"
  exit 1
}
echo "== built: $SECONDS s"

# number GROUP PATTERN LOG: the sum of the numbers that a group of the pattern finds in the log's lines.
number() { sed -nE "s/^$2\$/\\$1/p" "$3" | awk '{n += $1} END {print n + 0}'; }

logOf() { echo "$logs/${1//[^a-z_]/_}.log"; }

# tally NAME COUNTER STATUS BEGAN: adds up a suite's tests. COUNTER reads its log into good, bad and left. A suite that failed
# without saying which test, or that ran none, is a failure.
tally() {
  local name=$1 counter=$2 status=$3 began=$4 good=0 bad=0 left=0
  $counter "$(logOf "$name")"
  if [ "$bad" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$good" -eq 0 ]; }; then
    echo "== $name: exit status $status, $good tests passed: counted as a failure"
    bad=1
  fi
  echo "== $name: $((SECONDS - began)) s"
  passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + left))
}

# suite NAME COUNTER COMMAND…: runs a suite.
suite() {
  local name=$1 counter=$2 began=$SECONDS
  shift 2
  echo "== $name"
  "$@" 2>&1 | tee "$(logOf "$name")"
  tally "$name" "$counter" "${PIPESTATUS[0]}" "$began"
}

# beside NAME COUNTER COMMAND…: begins a suite, when at most one other is running; what it said comes when it is done. meetBeside waits
# for all.
declare -A besideName=() besideCounter=() besideBegan=()
beside() {
  [ ${#besideName[@]} -lt 2 ] || meetOne
  local name=$1 counter=$2
  shift 2
  echo "== $name begins"
  "$@" >"$(logOf "$name")" 2>&1 &
  besideName[$!]=$name besideCounter[$!]=$counter besideBegan[$!]=$SECONDS
}
meetOne() {
  local pid status
  wait -n -p pid "${!besideName[@]}"
  status=$?
  echo "== ${besideName[$pid]}"
  cat "$(logOf "${besideName[$pid]}")"
  tally "${besideName[$pid]}" "${besideCounter[$pid]}" "$status" "${besideBegan[$pid]}"
  unset "besideName[$pid]"
}
meetBeside() { while [ ${#besideName[@]} -gt 0 ]; do meetOne; done; }

countCtest() {
  bad=$(number 1 '.*, ([0-9]+) tests failed out of ([0-9]+)' "$1")
  left=$(grep -c '\*\*\*Skipped' "$1")
  good=$(($(number 2 '.*, ([0-9]+) tests failed out of ([0-9]+)' "$1") - bad - left))
}
countLit() {
  good=$(number 2 ' *(Passed|Expectedly Failed) *: *([0-9]+).*' "$1")
  bad=$(number 2 ' *(Failed|Unresolved|Timed Out|Unexpectedly Passed) *: *([0-9]+).*' "$1")
  left=$(number 2 ' *(Unsupported|Skipped|Excluded) *: *([0-9]+).*' "$1")
}
countUnittest() {
  left=$(number 2 '(OK|FAILED) \(.*skipped=([0-9]+).*' "$1")
  bad=$(($(number 1 'FAILED \(.*failures=([0-9]+).*' "$1") + $(number 1 'FAILED \(.*errors=([0-9]+).*' "$1")))
  good=$(($(number 1 'Ran ([0-9]+) tests? in .*' "$1") - bad - left))
}
countLine() { # scripts that close with our own line
  good=$(number 1 '([0-9]+) passed, ([0-9]+) failed.*' "$1")
  bad=$(number 2 '([0-9]+) passed, ([0-9]+) failed.*' "$1")
}

for name in "${suites[@]}"; do
  case $name in
    unit)
      suite unit countCtest ctest --test-dir build -j2 --output-on-failure --no-tests=error ;;
    lit) suite lit countLit "$lit" -v build/tests/lit ;;
    python)
      suite python countUnittest "$python" -m unittest discover -s tests/python
      suite runner countUnittest "$python" -m unittest discover -s tests/integration/support -t tests/integration -p '*_test.py' ;;
    integration)
      # Alone: who measures memory or time, ends peers by a deadline, or takes all cores.
      for script in golden ranks launchers bad_input memory plan_memory nvme bench cuda checkpoint resume fp16 kill gpu_rows; do
        suite "$script" countLine "$python" "tests/integration/${script}_test.py"
      done
      for script in recomputation mutation offload plan_search sft eval generate generate_search dropout compile_limits simulate trace quantize \
        quantize_training merge merge_four_bit resize evaluation schedule trl answers install; do
        beside "$script" countLine "$python" "tests/integration/${script}_test.py"
      done
      # The golden runs again: what is switched off must be missed; guarded buffers, recomputation, shorter train steps must not.
      golden=("$python" tests/integration/golden_test.py)
      beside golden_feature_off countLine "${golden[@]}" --feature_off
      beside golden_shadow countLine "${golden[@]}" --extra_run_flags=--shadow
      beside golden_recomputed countLine "${golden[@]}" --extra_import_flags="--rematerialize block"
      beside golden_selective countLine "${golden[@]}" --extra_import_flags="--rematerialize selective --prefetch_distance 2"
      beside golden_buckets countLine "${golden[@]}" --extra_import_flags="--length_buckets 3" --decoders_only
      # The CUDA target on an emulated GPU: a family a kind.
      beside golden_cuda countLine "${golden[@]}" --extra_compile_flags="--target cuda" --zprun zprun_emulated \
        --case llama_gqa_fp32 --case llama_qlora_nested --case bloom_left_padded --case t5_qv
      # AMX's own code where its instructions can be emulated: on a CPU with AVX-512.
      if build/tests/bin/kernel_conformance_emulated_amx_test --list_kernel_paths | grep -q '^runs: amx'; then
        beside golden_amx countLine "${golden[@]}" --zprun zprun_emulated_amx --extra_run_flags=--kernel_path=amx
      fi
      meetBeside ;;
  esac
done

if [ "$skipped" -gt 0 ]; then echo "$skipped skipped"; fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

#!/usr/bin/env bash
# Makes the project's own Python environment in .venv, or brings it up to date with frontends/data/requirements.txt.
# Does nothing when it already is: a copy of the requirements is kept inside as the mark of a finished installation.
#   scripts/setup-venv.sh [FILE…]      more requirements: tests/requirements.txt for the tests
set -euo pipefail
cd "$(dirname "$0")/.."

all=(frontends/data/requirements.txt "$@")
mark() { echo ".venv/installed-${1//\//-}"; }
wanted=()
for file in "${all[@]}"; do
  [ -x .venv/bin/python ] && cmp -s "$file" "$(mark "$file")" || wanted+=("$file")
done
[ ${#wanted[@]} -gt 0 ] || exit 0
echo "== python environment in .venv"
# A half-made environment has no pip; start over then.
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  rm -rf .venv
  python3 -m venv .venv
  wanted=("${all[@]}")
fi
for file in "${wanted[@]}"; do
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$file"
  cp "$file" "$(mark "$file")"
done

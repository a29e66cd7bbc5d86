#!/usr/bin/env bash
# Makes the project's own Python environment in .venv, or brings it up to date with frontends/data/requirements.txt.
# Does nothing when it already is: a copy of the requirements is kept inside as the mark of a finished installation.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted=frontends/data/requirements.txt
mark=.venv/installed-requirements.txt
if [ -x .venv/bin/python ] && cmp -s "$wanted" "$mark"; then
  exit 0
fi
echo "== python environment in .venv"
# A half-made environment has no pip; start over then.
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  rm -rf .venv
  python3 -m venv .venv
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$wanted"
cp "$wanted" "$mark"

#!/usr/bin/env bash
# Brings the headers of cudnn-frontend (Apache-2.0 and MIT) into .cudnn-frontend/, for attention by cuDNN. Does nothing where they
# already are, or where nvcc or cudnn.h is missing: then no attention by cuDNN can be built. Without a network it says so, and
# attention is our own kernels'.
set -euo pipefail
cd "$(dirname "$0")/.."

version=1.32.0
mark=.cudnn-frontend/$version
nvcc=$(PATH=$PATH:/usr/local/cuda/bin command -v nvcc) || exit 0
[ -e "$mark" ] && exit 0
found=
for folder in "$(dirname "$nvcc")/../include" /usr/local/include /usr/include; do
  [ ! -e "$folder/cudnn.h" ] || found=$folder
done
[ -n "$found" ] || exit 0
echo "== headers of cudnn-frontend $version"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The wheel carries them; nothing of it is installed, and nothing that it depends on is wanted.
if ! .venv/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --dest "$work" "nvidia-cudnn-frontend==$version"; then
  echo "$0: nvidia-cudnn-frontend $version can't be had from PyPI: attention will be our own kernels'" >&2
  exit 0
fi
rm -rf .cudnn-frontend
mkdir -p .cudnn-frontend
.venv/bin/python - "$work" <<'PYTHON'
import sys
import zipfile
from pathlib import Path

with zipfile.ZipFile(next(Path(sys.argv[1]).glob("*.whl"))) as wheel:
    wheel.extractall(".cudnn-frontend", [name for name in wheel.namelist() if name.startswith("include/") or ".dist-info/LICENSE" in name])
PYTHON
touch "$mark"

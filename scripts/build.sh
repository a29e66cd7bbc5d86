#!/usr/bin/env bash
# Configures build/ when it isn't yet, and builds: everything, or only the targets named.
#   scripts/build.sh [TARGET…]
set -euo pipefail
cd "$(dirname "$0")/.."

if [ ! -f build/build.ninja ]; then
  echo "== configuring build/"
  cmake --preset release
fi
echo "== building ${*:-everything}"
cmake --build build ${1:+--target "$@"}

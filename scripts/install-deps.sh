#!/usr/bin/env bash
# Installs the Debian 12 packages that the build, the samples and the tests need. Run as root or with sudo at hand.
# Packages that are already there cost nothing: then apt isn't called at all.
set -euo pipefail

packages=(
  # the build
  git ca-certificates cmake ninja-build g++ ccache
  # compiler side: MLIR, LLVM, and lit and FileCheck with them
  libmlir-22-dev mlir-22-tools llvm-22-dev llvm-22-tools libzstd-dev
  # plan file
  libflatbuffers-dev flatbuffers-compiler
  # runtime: vector code, the yardstick of bench, ranks, hashes
  libhwy-dev libdnnl-dev libopenmpi-dev openmpi-bin libxxhash-dev
  # command line, JSON, YAML, regular expressions
  libcli11-dev nlohmann-json3-dev libyaml-cpp-dev libpcre2-dev
  # tests and benchmarks
  libgtest-dev libbenchmark-dev
  # zpdata
  python3 python3-venv python3-pip
)

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "$0: needs root to install: ${missing[*]}; run it as root or install sudo" >&2; exit 2; }
  sudo=(sudo)
fi
echo "== installing ${#missing[@]} packages"
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null

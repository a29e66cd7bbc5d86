#!/usr/bin/env bash
# Writes the runtime's generated files from the op table: generate.sh ZP_TBLGEN SOURCE_ROOT MLIR_INCLUDE OUTPUT_DIR
# They are committed, so that the runtime builds without LLVM; tests/lint/check_generated.py compares.
set -euo pipefail
tblgen=$1 root=$2 mlir=$3 out=$4
mkdir -p "$out"
for pair in schema:plan_ops.fbs list:plan_ops.inc arguments:op_args.h decoder:op_decode.inc signatures:op_signatures.inc reference:instructions.md; do
  "$tblgen" "--gen-${pair%%:*}" -I "$root" -I "$mlir" "$root/dialects/Plan/IR/PlanOps.td" -o "$out/${pair##*:}"
done

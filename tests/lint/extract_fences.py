#!/usr/bin/env python3
"""Prints the mlir fences of a document, split for --split-input-file, so that lit can run them. extract_fences.py FILE"""
import pathlib
import re
import sys

FENCE = re.compile(r"^ *```mlir\n(.*?)^ *```", re.S | re.M)


def main() -> int:
    fences = FENCE.findall(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    if not fences:
        sys.exit(f"{sys.argv[1]}:1: has no mlir fence; add the example that the page promises")
    print("// -----\n".join(fences), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())

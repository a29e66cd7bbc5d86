#!/usr/bin/env python3
"""Prints the mlir fences of a document, split for --split-input-file, so that lit can run them. extract_fences.py FILE"""
import pathlib
import re
import sys

text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
fences = re.findall(r"^ *```mlir\n(.*?)^ *```", text, re.S | re.M)
if not fences:
    sys.exit(f"{sys.argv[1]}:1: has no mlir fence; add the example that the page promises")
print("// -----\n".join(fences), end="")

#!/usr/bin/env python3
"""Every C++ and CUDA file that a person writes is as clang-format 14 leaves it (.clang-format). check_format.py CLANG_FORMAT; prints each file that isn't, and how to mend it."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("compiler", "dialects", "frontends", "runtime", "tests")
SUFFIXES = {".cpp", ".h", ".cu"}

files = sorted(
    str(path) for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES and path.parent.name != "generated"
)
done = subprocess.run([sys.argv[1], "--dry-run", "-Werror", *files], capture_output=True, text=True)
wrong = sorted({line.split(":")[0] for line in done.stderr.splitlines() if "clang-format-violations" in line})
for path in wrong:
    print(f"{pathlib.Path(path).relative_to(ROOT)}: is not formatted, expected what clang-format 14 makes of it; run clang-format -i on it")
sys.exit(1 if wrong or done.returncode else 0)

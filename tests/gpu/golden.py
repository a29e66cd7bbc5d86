#!/usr/bin/env python3
"""tests/integration/golden_test.py with its cases spread over several processes, which share the GPU: a row of tests/gpu/run.sh.

    golden.py [--jobs N] [--case NAME …] -- FLAGS OF golden_test.py

Most of a case is starts of programs. What failed is printed, then the sum as golden_test.py has it.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=max(1, min(6, (os.cpu_count() or 2) // 2)))
    parser.add_argument("--case", action="append", default=[])
    parser.add_argument("flags", nargs="*")
    chosen = parser.parse_args()
    cases = chosen.case or sorted(path.parent.name for path in (ROOT / "tests/golden/cases").glob("*/case.json"))
    running = []
    for job in range(min(chosen.jobs, len(cases))):
        named = [word for case in cases[job :: chosen.jobs] for word in ("--case", case)]
        words = [sys.executable, ROOT / "tests/integration/golden_test.py", *chosen.flags, *named]
        running.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
    passed = failed = 0
    for process in running:
        text, _ = process.communicate()
        print("\n".join(line for line in text.splitlines() if not re.match(r"PASS |\d+ passed, ", line)), flush=True)
        counts = re.search(r"(\d+) passed, (\d+) failed\s*$", text)
        passed += int(counts[1]) if counts else 0
        failed += int(counts[2]) if counts else 1  # it ended before it counted
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Our tokens a second beside those of PEFT on the same GPU in the same call: a row of tests/gpu/run.sh.

    beside_peft.py --ours FILE --ratio_at_least R --python PYTHON -- FLAGS OF peft_step.py

PEFT runs under PYTHON, which has PyTorch; the fastest of the ways that peft_step.py tries counts. A line a way as it is known, so that
a row whose time ends early still says what it saw. Exit 1 below the ratio, 77 (left out) where PEFT can't run here.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from card import LEFT_OUT, Row

STEP = Path(__file__).resolve().parent / "peft_step.py"


def listen(process, ours, row):
    """The fastest of PEFT's ways; why it was left out, if it was."""
    best, left_out = None, None
    for text in process.stdout:
        try:
            line = json.loads(text)
        except ValueError:  # what packages print
            continue
        if "left_out" in line:
            left_out = line["left_out"]
        elif "versions" in line:
            row.say(line["versions"])
        elif "failed" in line:
            print(f"PEFT, {line['way']}: {line['failed']}", flush=True)
            row.say(f"{line['way']} failed")
        else:
            rate = line["tokens_per_second"]
            print(f"PEFT, {line['way']}: {rate:.0f} tokens/s, ours {ours / rate:.3f} times as fast", flush=True)
            row.say(f"{line['way']} {rate:.0f}")
            best = max(best or 0, rate)
    return best, left_out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", type=Path, required=True, help="what speed.py kept")
    parser.add_argument("--ratio_at_least", type=float, required=True)
    parser.add_argument("--python", required=True, help="an interpreter with torch, transformers and peft")
    parser.add_argument("flags", nargs="+", help="of peft_step.py")
    chosen = parser.parse_args()
    row = Row()
    ours = json.loads(chosen.ours.read_text())["tokens_per_second"] if chosen.ours.exists() else None
    # Its words on stderr go where this row's go: into the log.
    process = subprocess.Popen([chosen.python, STEP, *chosen.flags], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace")
    best, left_out = listen(process, ours or float("nan"), row)
    code = process.wait()
    if left_out:
        print(f"left out: {left_out}", flush=True)
        sys.exit(LEFT_OUT)
    row.hold(code == 0, f"peft_step.py exit {code}")
    row.hold(best is not None, "none of PEFT's ways ran")
    row.hold(ours is not None, f"no figures of ours: the row of {chosen.ours.stem} left none")
    if best and ours:
        row.said.insert(0, f"{ours / best:.3f} times PEFT ({ours:.0f} to {best:.0f} tokens/s)")
        row.hold(ours / best >= chosen.ratio_at_least, f"below {chosen.ratio_at_least}")
    sys.exit(row.close())


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Times a plan on a GPU and holds it to bars: a row of tests/gpu/run.sh.

    speed.py --bin DIR --plan FILE [bars] -- FLAGS OF zpc import

Imports, compiles for cuda, runs `zprun bench`. The last line has tokens a second and the device's memory. Exit 1 when
- the loss isn't finite;
- the memory that the device gave meanwhile is more than the plan's peak and the reserve of a process;
- tokens a second are below a bar: of an H200, for the figure itself; on any GPU, for its ratio to that of another row.
"""

import argparse
import json
import math
import subprocess
import sys
import threading
from pathlib import Path

RESERVE = 1_500_000_000  # of a process beside its plan (runtime/schema/targets.inc)


def smi(field):
    done = subprocess.run(["nvidia-smi", "-i", "0", f"--query-gpu={field}", "--format=csv,noheader,nounits"], check=True, capture_output=True, text=True)
    return done.stdout.strip()


class Watch:
    """The most memory of the device that is taken while it watches, beyond what was before."""

    def __init__(self):
        self.before = self.most = int(smi("memory.used"))
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.done.wait(0.25):
            self.most = max(self.most, int(smi("memory.used")))

    def close(self):
        self.done.set()
        self.thread.join()
        return (self.most - self.before) << 20


def run(words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{Path(words[0]).name} exit {done.returncode}: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--plan", type=Path, required=True, help="where the plan is written")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--h200_at_least", type=float, help="tokens a second, where the GPU is an H200")
    parser.add_argument("--of", type=Path, help="a file that another row kept")
    parser.add_argument("--ratio_at_least", type=float, help="of tokens a second to those in --of")
    parser.add_argument("--keep", type=Path, help="file for the tokens a second")
    parser.add_argument("flags", nargs="+", help="of zpc import")
    chosen = parser.parse_args()
    module = chosen.plan.with_suffix(".mlir")
    run([chosen.bin / "zpc", "import", *chosen.flags, "-o", module])
    run([chosen.bin / "zpc", "compile", module, "--target", "cuda", "-o", chosen.plan])
    planned = json.loads(run([chosen.bin / "zpc", "explain", chosen.plan, "--memory", "--json"]))["spaces"]["device"]["peak_bytes"]
    watch = Watch()
    report = json.loads(run([chosen.bin / "zprun", "bench", chosen.plan, "--steps", chosen.steps]))
    taken, rate = watch.close(), report["tokens_per_second"]
    if chosen.keep:
        chosen.keep.write_text(str(rate))
    said, wrong = [f"{rate:.0f} tokens/s", f"device {taken / 1e9:.2f} GB of {planned / 1e9:.2f} planned"], []
    if not math.isfinite(report["loss"]):
        wrong.append(f"loss {report['loss']}")
    said.append(f"attention {report['attention']}")
    if "own" in report["attention"]:
        wrong.append("attention is our own kernels'")
    if taken > planned + RESERVE:
        wrong.append(f"more memory than planned and {RESERVE / 1e9:.1f} GB")
    if chosen.h200_at_least and "H200" in smi("name") and rate < chosen.h200_at_least:
        wrong.append(f"below {chosen.h200_at_least:.0f} tokens/s")
    if chosen.of:
        ratio = rate / float(chosen.of.read_text()) if chosen.of.exists() else math.nan
        said.append(f"{ratio:.3f} of {chosen.of.name}")
        if not ratio >= chosen.ratio_at_least:
            wrong.append(f"below {chosen.ratio_at_least} of it")
    print(", ".join(said) + (": " + "; ".join(wrong) if wrong else ""))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""The GPU as nvidia-smi tells of it, and what rows of run.sh have in common: figures, a verdict, the table's line."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

RESERVE = 1_500_000_000  # of a process beside its plan (runtime/schema/targets.inc)
LEFT_OUT = 77  # exit status of a row that couldn't be tried here: counted apart from what passed


def smi(field):
    """Of the card that programs here call the first."""
    first = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0].strip() or "0"
    done = subprocess.run(["nvidia-smi", "-i", first, f"--query-gpu={field}", "--format=csv,noheader,nounits"], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def is_h200():
    """The issue's absolute figures are of this card; another's are printed and held to nothing."""
    return "H200" in smi("name")


class Refused(Exception):
    """A tool ended otherwise than it should."""


class Watch:
    """The device's memory in use, as long as it watches."""

    def __init__(self):
        self.samples = [(time.monotonic(), int(smi("memory.used")))]
        self.done, self.broken = threading.Event(), None
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.done.wait(0.1):
            try:
                self.samples.append((time.monotonic(), int(smi("memory.used"))))
            except (OSError, ValueError, subprocess.SubprocessError) as problem:
                self.broken = problem
                return

    def close(self):
        """Ends it. What was not looked at to the end says nothing."""
        self.done.set()
        self.thread.join()
        if self.broken:
            raise Refused(f"nvidia-smi stopped telling what memory is in use: {self.broken}")

    def taken(self):
        """The most bytes beyond what was in use before."""
        return (max(used for _, used in self.samples) - self.samples[0][1]) << 20

    def grown(self, begin, end):
        """Bytes taken after the first look between two moments; none when there was one look or none."""
        seen = [used for at, used in self.samples if begin <= at <= end]
        return (max(seen) - seen[0]) << 20 if len(seen) > 1 else None


def call(words):
    """What a tool prints."""
    words = [str(word) for word in words]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise Refused(f"{Path(words[0]).name} exit {done.returncode}: {said[-300:]}")
    return done.stdout


def make_plan(bin, plan, flags, compile_flags=()):
    """Imports and compiles for cuda; what the plan takes of the device."""
    module = plan.with_suffix(".mlir")
    call([bin / "zpc", "import", *flags, "-o", module])
    call([bin / "zpc", "compile", module, "--target", "cuda", *compile_flags, "-o", plan])
    return json.loads(call([bin / "zpc", "explain", plan, "--memory", "--json"]))["spaces"]["device"]["peak_bytes"]


class Row:
    """What a row says, and what is wrong with it."""

    def __init__(self):
        self.said, self.wrong = [], []

    def say(self, text):
        self.said.append(text)

    def hold(self, good, complaint):
        if not good:
            self.wrong.append(complaint)

    def close(self):
        """Prints the table's text; the exit status."""
        print(", ".join(self.said) + (": " if self.said and self.wrong else "") + "; ".join(self.wrong), flush=True)
        return 1 if self.wrong else 0


def run_row(work):
    """`work(row)` as a program: a tool that fails is a line, not a stack."""
    row = Row()
    try:
        work(row)
    except (Refused, OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError) as problem:
        row.wrong.append(str(problem) if isinstance(problem, Refused) else f"{type(problem).__name__}: {problem}")
    sys.exit(row.close())

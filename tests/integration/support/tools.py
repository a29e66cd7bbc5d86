"""Runs the tools and tallies checks: what the integration scripts share beside pipeline.py's golden cases."""

import argparse
import json
import math
import resource
import tempfile
from pathlib import Path

from .golden_case import spell_flags
from .pipeline import StageFailed, call  # noqa: F401: the scripts' too

ROOT = Path(__file__).resolve().parents[3]


class Tally:
    """Prints a line a check and counts."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, label, failures, note=""):
        self.passed += not failures
        self.failed += bool(failures)
        said = "; ".join(failures) or note
        print(f"{'FAIL' if failures else 'PASS'} {label}{f': {said}' if said else ''}", flush=True)

    def guard(self, label, check):
        """Of what `check()` returns, (failures, note); a tool that ended otherwise than it should is a failure."""
        try:
            failures, note = check()
        except StageFailed as problem:
            failures, note = [str(problem)], ""
        self.check(label, failures, note)

    def close(self):
        """Prints the last line and returns the exit code."""
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0


def add_arguments(parser, timeout=120):
    parser.add_argument("--bin", type=Path, default=ROOT / "build/bin", help="folder of zpc and zprun")
    parser.add_argument("--timeout", type=float, default=timeout, help="seconds a tool may take")
    parser.add_argument("--work_dir", type=Path, help="keeps every run's files here")


def run_parts(doc, prefix, bench, parts):
    """The whole of a script: `bench(arguments, folder)` is handed to each part with the tally, and a part that raises has failed.
    `parts`: functions, or functions by name. Returns the exit code."""
    parts = parts if isinstance(parts, dict) else {part.__name__: part for part in parts}
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--part", nargs="+", choices=parts, default=list(parts))
    chosen = parser.parse_args()
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix=f"{prefix}-") as scratch:
        work = chosen.work_dir or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        shared = bench(chosen, work)
        for name in chosen.part:
            try:
                parts[name](shared, tally)
            except Exception as problem:  # the others still run
                tally.check(name, [f"{type(problem).__name__}: {problem}"])
    return tally.close()


def make_plan(bin, source, flags, work, timeout, compile_flags=()):
    """Imports and compiles; `source` holds --model and the adapter. The path of the plan."""
    work.mkdir(parents=True, exist_ok=True)
    call([bin / "zpc", "import", *source, *spell_flags(flags), "-o", work / "model.mlir"], timeout)
    call([bin / "zpc", "compile", work / "model.mlir", *compile_flags, "-o", work / "plan.fb"], timeout)
    return work / "plan.fb"


def children_peak_bytes():
    """The most that any one child of this process has had resident so far."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


def losses(out):
    return [json.loads(line)["loss"] for line in (out / "metrics.jsonl").read_text().splitlines()]


def gap(these, those):
    """The largest relative difference of two curves; infinite where their lengths differ or a number isn't finite."""
    if len(these) != len(those) or not these or not all(map(math.isfinite, [*these, *those])):
        return float("inf")
    return max(abs(a - b) / abs(b) for a, b in zip(these, those, strict=True))

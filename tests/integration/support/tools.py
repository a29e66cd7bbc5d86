"""Runs the tools and tallies checks: what the integration scripts share beside pipeline.py's golden cases."""

import json
import math
import resource
import subprocess
from pathlib import Path

from .golden_case import spell_flags
from .pipeline import StageFailed

ROOT = Path(__file__).resolve().parents[3]


class Tally:
    """Prints a line a check and counts."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, label, failures, note=""):
        self.passed += not failures
        self.failed += bool(failures)
        print(f"{'FAIL' if failures else 'PASS'} {label}: {'; '.join(failures) or note}", flush=True)

    def close(self):
        """Prints the last line and returns the exit code."""
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0


def add_arguments(parser, timeout=120):
    parser.add_argument("--bin", type=Path, default=ROOT / "build/bin", help="folder of zpc and zprun")
    parser.add_argument("--timeout", type=float, default=timeout, help="seconds a tool may take")
    parser.add_argument("--work_dir", type=Path, help="keeps every run's files here")


def call(words, timeout):
    """The tool's output. Raises StageFailed."""
    words = [str(word) for word in words]
    tool = " ".join([Path(words[0]).name, *([words[1]] if Path(words[0]).name == "zpc" else [])])
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as late:
        raise StageFailed(tool, None, (late.stdout or b"").decode(errors="replace")) from late
    except OSError as absent:
        raise SystemExit(f"{words[0]}: {absent.strerror}; build first, or name the folder with --bin") from absent
    if done.returncode:
        raise StageFailed(tool, done.returncode, done.stdout)
    return done.stdout


def make_plan(bin, source, flags, work, timeout):
    """Imports and compiles; `source` holds --model and the adapter. The path of the plan."""
    work.mkdir(parents=True, exist_ok=True)
    call([bin / "zpc", "import", *source, *spell_flags(flags), "-o", work / "model.mlir"], timeout)
    call([bin / "zpc", "compile", work / "model.mlir", "-o", work / "plan.fb"], timeout)
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

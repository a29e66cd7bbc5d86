#!/usr/bin/env python3
"""`zprun bench --against`: two plans whose steps take turns in one process, on one rank and on two.

    bench_test.py [--bin DIR]

Nothing here asks how long a step took. What is asked: each plan computes what it computes alone, and what can't be compared is
refused. The last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

from support import pipeline, tools
from support.golden_case import GoldenCase

ROOT = tools.ROOT
STEPS = 3


def make_plan(arguments, name, ranks, work):
    case = GoldenCase(ROOT / "tests/golden/cases" / name)
    job = pipeline.Job(arguments.bin, ranks, 3 if ranks > 1 else 0)
    return tools.make_plan(arguments.bin, ["--model", case.model], pipeline.import_flags(case, job), work / f"{name}-{ranks}", arguments.timeout)


def bench(arguments, plan, ranks, *flags):
    words = [arguments.bin / "zprun", "bench", plan, "-n", ranks, "--threads", 1, "--steps", STEPS, *flags]
    return json.loads(tools.call(words, arguments.timeout))


def check_turns(arguments, tally, ranks, work):
    plan, other = make_plan(arguments, "llama_qlora_nested", ranks, work), make_plan(arguments, "llama_gqa_fp32", ranks, work)
    both = bench(arguments, plan, ranks, "--against", other)
    wrong = []
    for key, path in (("plan", plan), ("against", other)):
        alone = bench(arguments, path, ranks)
        wrong += [f"{key}: {field} {alone[field]}" for field in ("init_seconds", "startup_seconds", "first_step_seconds") if not alone[field] > 0]
        for field in ("loss", "flops_per_step", "steps", "ranks"):
            if both[key][field] != alone[field]:
                wrong.append(f"{key}: {field} {both[key][field]}, alone {alone[field]}")
    if both["plan"]["loss"] == both["against"]["loss"]:
        wrong.append("both have the same loss: one plan was run twice")
    tally.check(f"{ranks} ranks: each plan computes what it computes alone", wrong)
    ratio = both["step_time_ratio"]
    tally.check(f"{ranks} ranks: a ratio of step times", [] if math.isfinite(ratio) and ratio > 0 else [f"it is {ratio}"])


def check_refusals(arguments, tally, work):
    plan, wider = work / "llama_gqa_fp32-1/plan.fb", work / "llama_gqa_fp32-2/plan.fb"
    cases = (
        ("a plan for other ranks", ["--against", wider], "was compiled for 2 ranks"),
        ("a plan that isn't there", ["--against", work / "none.fb"], "none.fb"),
        ("a calibration of two plans", ["--against", plan, "--calibrate", work / "c.yaml"], "--calibrate"),
        ("a trace of two plans", ["--against", plan, "--trace", work / "t.json"], "--trace"),
    )
    for label, flags, expected in cases:
        words = [arguments.bin / "zprun", "bench", plan, *flags]
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=arguments.timeout)
        refused = done.returncode and "error[ZP" in done.stderr and expected in done.stderr
        tally.check(f"{label} is refused", [] if refused else [f"exit {done.returncode}: {done.stderr[-200:]}"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tools.add_arguments(parser)
    arguments = parser.parse_args()
    tally = tools.Tally()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        for ranks in (1, 2):
            check_turns(arguments, tally, ranks, Path(scratch))
        check_refusals(arguments, tally, Path(scratch))
    return tally.close()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""`zprun bench --against`: two plans whose steps take turns in one process, on one rank and on two.

    bench_test.py [--bin DIR]

A plan that generates is timed, too. Nothing here asks how long anything took. What is asked: each plan computes what it computes alone, and what can't be compared is
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


def check_generation(arguments, tally, work):
    """Rounds of as many prompts as the ranks hold, as long as the plan says: of a decoder and of an encoder-decoder."""
    lengths = {"llama_qlora_nested": (["--max_length", 24, "--prefill_length", 8], 8, 16), "t5_qv": (["--max_source_length", 6, "--max_target_length", 9], 6, 8)}
    for name, (flags, given, new) in lengths.items():
        model = GoldenCase(ROOT / "tests/golden/cases" / name).model
        for ranks in (1, 2):
            made = {"generate": "true", "num_processes": ranks, "generation_batch_size": 3, "zero_stage": 3 if ranks > 1 else 0}
            plan = tools.make_plan(arguments.bin, ["--model", model, *flags], made, work / f"{name}-generates-{ranks}", arguments.timeout)
            found = bench(arguments, plan, ranks)
            wanted = {"prompts": 3 * ranks, "prompt_tokens": given, "new_tokens": new, "rounds": STEPS, "ranks": ranks}
            wrong = [f"{key} {found[key]}, expected {value}" for key, value in wanted.items() if found[key] != value]
            if not 0 < found["first_token_seconds"] < found["round_seconds"]:
                wrong.append(f"the first token after {found['first_token_seconds']} of {found['round_seconds']} s")
            made = found["new_tokens_per_second"] * found["round_seconds"]
            wrong += [] if math.isclose(made, 3 * ranks * new) else [f"{made} new tokens a round"]
            decoded = found["decoded_tokens_per_second"] * (found["round_seconds"] - found["first_token_seconds"])
            wrong += [] if math.isclose(decoded, 3 * ranks * (new - 1)) else [f"{decoded} decoded tokens a round"]
            tally.check(f"{name} generates on {ranks} rank(s)", wrong)
        pairs = (("plan", [plan, "--against", work / "llama_gqa_fp32-2/plan.fb"]), ("other", [work / "llama_gqa_fp32-2/plan.fb", "--against", plan]))
        for label, words in pairs:
            done = subprocess.run([str(w) for w in [arguments.bin / "zprun", "bench", *words, "-n", 2]], capture_output=True, text=True, timeout=arguments.timeout)
            good = done.returncode == 2 and "generates and trains nothing" in done.stderr
            tally.check(f"{name} that generates is not compared: the {label}", [] if good else [f"exit {done.returncode}: {done.stderr[-200:]}"])


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
        check_generation(arguments, tally, Path(scratch))
        check_refusals(arguments, tally, Path(scratch))
    return tally.close()


if __name__ == "__main__":
    sys.exit(main())

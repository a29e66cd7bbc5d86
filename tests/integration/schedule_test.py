#!/usr/bin/env python3
"""The learning rates of a run are those of transformers' and DeepSpeed's schedulers.

    schedule_test.py [--bin DIR]

Jobs of tests/golden/schedules, one of each schedule and by one rank and two in turn: the plan carries type and arguments,
metrics.jsonl has the reference's rates, update by update, and with --logging_next_learning_rate those of the updates behind. A
run that is resumed under the same schedule, written otherwise, ends with the bytes of one that never stopped; under another it is
refused.
A line a check; the last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import json
import shutil
import sys

import numpy as np

from support import saving, tools

CASE = "llama_gqa_fp32"


def jobs():
    """The last of each schedule: those with the most arguments."""
    found = {}
    for job in json.loads((tools.ROOT / "tests/golden/schedules/schedules.json").read_text()):
        found[job["settings"]["lr_scheduler_type"]] = job
    return found


def flags_of(job):
    return {**job["settings"], "max_steps": job["updates"]}


def logged(out):
    return [step["learning_rate"] for step in saving.steps(out)]


def rates(bench, tally):
    for number, (name, job) in enumerate(jobs().items()):
        late = number % 3 == 2
        flags = {**flags_of(job), **({"logging_next_learning_rate": "true"} if late else {})}
        expected = job["rates"][1:] if late else job["rates"][:-1]
        ranks, stage = (2, 3) if number % 2 else (1, 0)

        def check():
            found = logged(bench.train(CASE, ranks, stage, "--save_strategy", "no", import_flags=flags))
            close = len(found) == len(expected) and np.allclose(found, expected, rtol=1e-12, atol=0)
            return [] if close else [f"logged {found}, expected {expected}"], f"{len(found)} updates, the last at {found[-1]:.6g}"

        tally.guard(f"{name}{' (the next update)' if late else ''}, {ranks} ranks", check)


def resumed(bench, tally):
    flags = {"lr_scheduler_type": "polynomial", "warmup_steps": 3}
    plan = bench.plan(CASE, 2, 3, **flags, lr_scheduler_kwargs='{"power": 2, "lr_end": 1e-4}')
    whole, out = bench.folder(), bench.folder()
    save = ("--save_steps", 5)
    bench.run(bench.words(CASE, 2, plan, whole, *save))

    def goes_on():
        shutil.copytree(whole, out)
        shutil.rmtree(out / "checkpoint-20")
        same = bench.plan(CASE, 2, 3, **flags, lr_scheduler_kwargs=' {"lr_end":0.0001,"power":2.0}')
        bench.run(bench.words(CASE, 2, same, out, *save, "--resume_from_checkpoint", out / "checkpoint-10"))
        failures = [] if saving.weights(out) == saving.weights(whole) else ["other bytes"]
        failures += [] if saving.steps(out) == saving.steps(whole) else ["other metrics"]
        return failures, "the same bytes"

    def refused():
        other = bench.plan(CASE, 2, 3, **flags, lr_scheduler_kwargs='{"power": 3, "lr_end": 1e-4}')
        words = bench.words(CASE, 2, other, whole, *save, "--resume_from_checkpoint", "latest")
        text = bench.run(words, 4).stderr
        good = "error[ZP3014]" in text and "checkpoint.json: lr_scheduler_kwargs: is " in text
        return [] if good else [text], "ZP3014"

    tally.guard("resumed under the same, written otherwise", goes_on)
    tally.guard("resumed under another", refused)


if __name__ == "__main__":
    sys.exit(tools.run_parts(__doc__, "schedule", saving.Bench, [rates, resumed]))

#!/usr/bin/env python3
"""zprun against TRL's SFTTrainer with PEFT, training as people do.

    trl_test.py [--bin DIR]

tests/golden/evaluation/{packed,padded}.* hold TRL's runs (README.md there: how they were made): documents packed and padded by TRL,
shuffled anew each epoch, whose last update has fewer micro-batches, 4 micro-batches an update, warm-up before a cosine, some gradients
clipped and some not, evaluations of several batches between. On the same rows, by one rank and by two under ZeRO-3, zprun's losses and
evaluation losses are within 1e-5 of TRL's by as many, and so are learning rates and epochs; gradient norms are within 1e-4, the
adapter's change within 1e-3.
A line a check; the last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import functools
import json
import math
import sys

import numpy as np
from safetensors.numpy import load_file

from support import tools
from support.compare import worst_change
from support.saving import Bench

GOLDEN = tools.ROOT / "tests/golden/evaluation"
LIMITS = {"loss": 1e-5, "eval_loss": 1e-5, "learning_rate": 1e-6, "epoch": 1e-6, "grad_norm": 1e-4, "eval_mean_token_accuracy": 1e-6}
OURS = {"eval_loss": "eval_loss_of_batches", "eval_mean_token_accuracy": "eval_mean_token_accuracy_of_batches"}  # TRL's by our name


def away(ours, theirs, key):
    """The largest difference, relative to what isn't 0; infinite where other steps have the figure."""
    named = ((ours, OURS.get(key, key)), (theirs, key))
    ours, theirs = ([(line["step"], line[name]) for line in lines if name in line] for lines, name in named)
    if [step for step, _ in ours] != [step for step, _ in theirs] or not ours:
        return math.inf
    return max(abs(a - b) / (abs(b) or 1) for (_, a), (_, b) in zip(ours, theirs, strict=True))


def checks(run, ours, train):
    """That the run shows what it is there for."""
    norms = [entry["grad_norm"] for entry in run["log_history"] if "grad_norm" in entry]
    clipped = sum(norm > run["flags"]["max_grad_norm"] for norm in norms)
    documents = train["segment_ids"].max(axis=1)
    failures = [] if 0 < clipped < len(norms) else [f"{clipped} of {len(norms)} updates are clipped"]
    rows = run["flags"]["per_device_train_batch_size"] * run["flags"]["gradient_accumulation_steps"]
    failures += [] if len(documents) % rows else ["every update has the same rows"]
    per_token = [entry["eval_loss"] for entry in ours if "eval_loss" in entry]
    gap = max(abs(a / entry["eval_loss"] - 1) for a, entry in zip(per_token, (e for e in run["log_history"] if "eval_loss" in e), strict=True))
    failures += [] if gap > 1e-3 else ["batches make no difference"]
    return failures, f"{clipped} of {len(norms)} updates clipped, up to {documents.max() + 1} documents a row"


def compare(bench, tally, name, ranks, stage):
    run, train = json.loads((GOLDEN / f"{name}.json").read_text()), GOLDEN / f"{name}-train.safetensors"
    settings = {**run["flags"], "max_length": run["length"], "train_sampling_strategy": "random"}
    settings["per_device_train_batch_size"] //= ranks
    every = settings.pop("eval_steps")
    plan, out = bench.plan(run["case"], ranks, stage, **settings), bench.folder()
    evaluate = ["--eval_dataset", GOLDEN / f"{name}-eval.safetensors", "--eval_strategy", "steps", "--eval_steps", every]
    bench.run(bench.words(run["case"], ranks, plan, out, *evaluate, "--save_strategy", "no", tokens=train))
    ours = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    failures, shown = checks(run, ours, load_file(train))
    gaps = {key: away(ours, run["log_history" if ranks == 1 else f"log_history_of_{ranks}"], key) for key in LIMITS}
    failures += [f"{key} {gap:.1e} away, expected {LIMITS[key]:.0e}" for key, gap in gaps.items() if not gap <= LIMITS[key]]
    final, theirs = load_file(out / "adapter_model.safetensors"), load_file(GOLDEN / f"{name}.safetensors")
    change = worst_change(final, theirs, bench.case(run["case"]).initial())[0]
    failures += [] if change <= 1e-3 else [f"the adapter's change is {change:.1e} away, expected 1e-03"]
    summary = json.loads((out / "trainer_state.json").read_text())["log_history"][-1]["train_loss"]
    failures += [] if np.isclose(summary, run["train_loss"], rtol=1e-5) else [f"train_loss {summary}, expected {run['train_loss']}"]
    figures = ", ".join(f"{key} {gap:.0e}" for key, gap in gaps.items())
    tally.check(f"{name} ranks {ranks} zero {stage}", failures, f"{figures}, change {change:.0e}; {shown}")


# Functions by the name of their check.
CELLS = {
    f"{name} ranks {ranks} zero {stage}": functools.partial(compare, name=name, ranks=ranks, stage=stage)
    for name in ("packed", "padded")
    for ranks, stage in ((1, 0), (2, 3))
}


if __name__ == "__main__":
    sys.exit(tools.run_parts(__doc__, "trl", Bench, CELLS))

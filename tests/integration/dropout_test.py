#!/usr/bin/env python3
"""Dropout's masks belong to the rows of an update: the loss is the same however the update is cut into ranks and micro-batches,
and whether the forward pass runs once or is recomputed.

    dropout_test.py [--bin DIR] [--case NAME]

A fresh adapter with lora_dropout 0.1 on the case's model and rows, 20 updates of 4 rows. Each way of running them is within
1e-6 relative of one rank's losses; another seed and dropout 0 are not, nor are two seeds from one starting adapter, where
the seed makes nothing but masks. A line a check; the last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from support import tools
from support.golden_case import find_cases
from support.pipeline import StageFailed
from support.variants import write_variant

TOLERANCE = 1e-6
APART = 1e-3  # what leaves the curve must leave it by far more than rounding
ROWS_OF_UPDATE = 4
SETTINGS = {
    "lora_r": 8,
    "lora_alpha": 16,
    "lora_target_modules": "all-linear",
    "lora_dropout": 0.1,
    "seed": 1,
    "max_steps": 20,
    "learning_rate": 0.003,
    "train_sampling_strategy": "sequential",
    "stage3_param_persistence_threshold": 0,
}
# (label, ranks, micro-batches of an update, other flags)
SAME = [
    ("1 rank again", 1, 1, {}),
    ("2 ranks", 2, 1, {}),
    ("4 ranks", 4, 1, {}),
    ("1 rank recomputed", 1, 1, {"rematerialize": "block"}),
    ("2 ranks recomputed", 2, 1, {"rematerialize": "block"}),
    ("1 rank, 2 micro-batches", 1, 2, {}),
    ("1 rank, 4 micro-batches", 1, 4, {}),
    ("2 ranks, 2 micro-batches", 2, 2, {}),
    ("2 ranks, 2 micro-batches, recomputed", 2, 2, {"rematerialize": "block"}),
    ("2 ranks zero 0", 2, 1, {"zero_stage": 0}),
]


class Runner:
    def __init__(self, chosen, case, work):
        self.chosen, self.case, self.work = chosen, case, work
        self.dropouts = {}  # how often a plan names dropout

    def losses(self, label, ranks, micros, flags, adapter=None):
        length = self.case.import_flags["max_length"]
        flags = {
            **SETTINGS,
            "max_length": length,
            "num_processes": ranks,
            "per_device_train_batch_size": ROWS_OF_UPDATE // (ranks * micros),
            "gradient_accumulation_steps": micros,
            **flags,
        }
        folder = self.work / label.replace(",", "").replace(" ", "-")
        source = ["--model", self.case.model] + (["--adapter_name_or_path", adapter] if adapter else [])
        if adapter:  # its adapter_config.json has these
            flags = {name: value for name, value in flags.items() if not name.startswith("lora_")}
        plan = tools.make_plan(self.chosen.bin, source, flags, folder, self.chosen.timeout)
        words = [*source, "--dataset", self.case.tokens, "--output_dir", folder / "out", "-n", ranks]
        tools.call([self.chosen.bin / "zprun", plan, *words], self.chosen.timeout)
        self.dropouts[label] = tools.call([self.chosen.bin / "zpdump", plan], self.chosen.timeout).count("dropout")
        found = tools.losses(folder / "out")
        if len(found) != SETTINGS["max_steps"]:
            raise StageFailed("zprun", 0, f"{len(found)} updates in metrics.jsonl, expected {SETTINGS['max_steps']}")
        return found


def compare(runner, tally):
    reference = runner.losses("1 rank", 1, 1, {})
    for label, *how in SAME:
        try:
            away = tools.gap(runner.losses(label, *how), reference)
        except StageFailed as problem:
            tally.check(label, [str(problem)])
            continue
        failures = [] if away <= TOLERANCE else [f"loss {away:.1e} from one rank's, expected {TOLERANCE:.0e}"]
        if "recomputed" in label and runner.dropouts[label] <= runner.dropouts["1 rank"]:
            failures.append("the plan doesn't recompute dropout")
        tally.check(label, failures, f"loss {away:.1e} away")
    others = {
        "without dropout": {"lora_dropout": 0},
        "lighter dropout": {"lora_dropout": 0.05},
        "another seed": {"seed": 2},
    }
    for label, flags in others.items():
        expect_apart(tally, label, lambda: runner.losses(label, 1, 1, flags), lambda: reference)
    lossy = {"name": "dropout", "adapter_config": {"lora_dropout": SETTINGS["lora_dropout"]}}
    adapter = write_variant(runner.case.folder, lossy, runner.work / "lossy") / "adapter"
    # The very first loss: two seeds can differ in it by the masks alone.
    first = [
        lambda seed=seed: runner.losses(f"adapter seed {seed}", 1, 1, {"seed": seed}, adapter)[:1] for seed in (1, 2)
    ]
    expect_apart(tally, "two seeds from one starting adapter, first loss", *first)


def expect_apart(tally, label, these, those):
    try:
        away = tools.gap(these(), those())
    except StageFailed as problem:
        tally.check(label, [str(problem)])
        return
    good = APART < away < float("inf")
    tally.check(label, [] if good else [f"loss {away:.1e} away, expected over {APART:.0e}"], f"loss {away:.1e} away")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tools.add_arguments(parser)
    parser.add_argument("--case", default="llama_gqa_fp32")
    chosen = parser.parse_args()
    case = find_cases(tools.ROOT / "tests/golden/cases", [chosen.case])[0]
    tally = tools.Tally()
    with tempfile.TemporaryDirectory(prefix="dropout-") as scratch:
        try:
            compare(Runner(chosen, case, chosen.work_dir or Path(scratch)), tally)
        except StageFailed as problem:
            tally.check("1 rank", [str(problem)])
    sys.exit(tally.close())


if __name__ == "__main__":
    main()

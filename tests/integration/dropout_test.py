#!/usr/bin/env python3
"""Dropout's masks belong to the rows of an update: the loss is the same however the update is cut into ranks and micro-batches,
and whether the forward pass runs once or is recomputed.

    dropout_test.py [--bin DIR] [--kind NAME ...]

A fresh adapter on a case's model and rows, 20 updates of 4 rows, with dropout of three kinds: what adapters read, attention's
probabilities, and all that T5's one rate stands for. Each way of running them is within 1e-6 relative of one rank's losses; another
seed and no or less dropout are not, nor are two seeds from one starting adapter, where the seed makes nothing but masks. Evaluation
drops nothing. A line a check; the last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from support import tools
from support.golden_case import find_cases
from support.pipeline import StageFailed
from support.variants import write_variant

TOLERANCE = 1e-6
APART = 1e-3  # what leaves the curve must leave it by far more than rounding
APART_AT_ONCE = 2e-5  # one update's masks alone: rounding gives 2e-8 there
ROWS_OF_UPDATE = 4
SETTINGS = {
    "lora_r": 8,
    "lora_alpha": 16,
    "lora_target_modules": "all-linear",
    "seed": 1,
    "max_steps": 20,
    "learning_rate": 0.003,
    "train_sampling_strategy": "sequential",
    "stage3_param_persistence_threshold": 0,
}


class Kind(NamedTuple):
    name: str
    case: str
    adapters: float  # lora_dropout
    config: dict  # what the model's config.json says, by the rate that it is to have

    def at(self, rate):
        """The kind at another rate."""
        return self._replace(adapters=self.adapters and rate, config={key: rate for key in self.config})


RATE = 0.1
KINDS = [
    Kind("adapters", "llama_gqa_fp32", RATE, {}),
    Kind("probabilities", "llama_gqa_fp32", 0, {"attention_dropout": RATE}),
    Kind("all of T5", "t5_qv", RATE, {"dropout_rate": RATE}),
]
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
    def __init__(self, chosen, kind, work):
        self.chosen, self.kind, self.work = chosen, kind, work
        self.case = find_cases(tools.ROOT / "tests/golden/cases", [kind.case])[0]
        self.dropouts = {}  # how often a plan names dropout

    def model(self, kind):
        """The case's model with the config.json of a kind."""
        if not kind.config:
            return self.case.model
        name = f"model-{next(iter(kind.config.values()))}"
        return write_variant(self.case.folder, {"name": name, "config": kind.config}, self.work / name) / "model"

    def plan(self, label, ranks, micros, flags, adapter, kind):
        lengths = {name: value for name, value in self.case.import_flags.items() if name.startswith("max_") and name.endswith("_length")}
        flags = {
            **SETTINGS,
            **lengths,
            "lora_dropout": kind.adapters,
            "num_processes": ranks,
            "per_device_train_batch_size": ROWS_OF_UPDATE // (ranks * micros),
            "gradient_accumulation_steps": micros,
            **flags,
        }
        source = ["--model", self.model(kind)] + (["--adapter_name_or_path", adapter] if adapter else [])
        if adapter:  # its adapter_config.json has these
            flags = {name: value for name, value in flags.items() if not name.startswith("lora_")}
        folder = self.work / label.replace(",", "").replace(" ", "-")
        return tools.make_plan(self.chosen.bin, source, flags, folder, self.chosen.timeout), source

    def losses(self, label, ranks, micros, flags, adapter=None, kind=None):
        plan, source = self.plan(label, ranks, micros, flags, adapter, kind or self.kind)
        out = plan.parent / "out"
        words = [*source, "--dataset", self.case.tokens, "--output_dir", out, "-n", ranks]
        tools.call([self.chosen.bin / "zprun", plan, *words], self.chosen.timeout)
        self.dropouts[label] = tools.call([self.chosen.bin / "zpdump", plan], self.chosen.timeout).count("dropout")
        found = tools.losses(out)
        if len(found) != SETTINGS["max_steps"]:
            raise StageFailed("zprun", 0, f"{len(found)} updates in metrics.jsonl, expected {SETTINGS['max_steps']}")
        return found

    def evaluation(self, label, adapter, kind):
        """The loss that zprun eval reports of an adapter."""
        plan, source = self.plan(label, 1, 1, {}, adapter, kind)
        words = [*source, "--dataset", self.case.tokens, "--quiet"]
        said = tools.call([self.chosen.bin / "zprun", "eval", plan, *words], self.chosen.timeout)
        return json.loads([line for line in said.splitlines() if line.startswith("{")][-1])["loss"]


def compare(runner, tally):
    kind = runner.kind
    reference = runner.losses("1 rank", 1, 1, {})
    for label, *how in SAME:
        try:
            away = tools.gap(runner.losses(label, *how), reference)
        except StageFailed as problem:
            tally.check(f"{kind.name}: {label}", [str(problem)])
            continue
        failures = [] if away <= TOLERANCE else [f"loss {away:.1e} from one rank's, expected {TOLERANCE:.0e}"]
        if "recomputed" in label and runner.dropouts[label] <= runner.dropouts["1 rank"]:
            failures.append("the plan doesn't recompute dropout")
        tally.check(f"{kind.name}: {label}", failures, f"loss {away:.1e} away")
    others = {
        "without dropout": ({}, kind.at(0)),
        "lighter dropout": ({}, kind.at(RATE / 2)),
        "another seed": ({"seed": 2}, kind),
    }
    for label, (flags, other) in others.items():
        expect_apart(tally, f"{kind.name}: {label}", lambda: runner.losses(label, 1, 1, flags, kind=other), lambda: reference)
    # The very first loss: two seeds can differ in it by the masks alone.
    adapter = runner.work / "lossy"
    if runner.case.adapter:
        lossy = {"name": "dropout", "adapter_config": {"lora_dropout": kind.adapters}}
        adapter = write_variant(runner.case.folder, lossy, adapter) / "adapter"
    else:  # one that was trained
        shutil.copytree(runner.work / "1-rank/out", adapter)
    first = [
        lambda seed=seed: runner.losses(f"adapter seed {seed}", 1, 1, {"seed": seed}, adapter)[:1] for seed in (1, 2)
    ]
    expect_apart(tally, f"{kind.name}: two seeds from one starting adapter, first loss", *first, APART_AT_ONCE)
    try:
        dropped, kept = (runner.evaluation(label, adapter, of) for label, of in (("evaluated", kind), ("evaluated whole", kind.at(0))))
        failures = [] if dropped == kept else [f"loss {dropped}, without dropout {kept}"]
        tally.check(f"{kind.name}: evaluation drops nothing", failures, f"loss {kept}")
    except StageFailed as problem:
        tally.check(f"{kind.name}: evaluation", [str(problem)])


def expect_apart(tally, label, these, those, least=APART):
    try:
        away = tools.gap(these(), those())
    except StageFailed as problem:
        tally.check(label, [str(problem)])
        return
    good = least < away < float("inf")
    tally.check(label, [] if good else [f"loss {away:.1e} away, expected over {least:.0e}"], f"loss {away:.1e} away")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tools.add_arguments(parser)
    parser.add_argument("--kind", nargs="+", choices=[kind.name for kind in KINDS], default=[kind.name for kind in KINDS])
    chosen = parser.parse_args()
    tally = tools.Tally()
    with tempfile.TemporaryDirectory(prefix="dropout-") as scratch:
        for kind in KINDS:
            if kind.name not in chosen.kind:
                continue
            try:
                compare(Runner(chosen, kind, (chosen.work_dir or Path(scratch)) / kind.name.replace(" ", "-")), tally)
            except StageFailed as problem:
                tally.check(f"{kind.name}: 1 rank", [str(problem)])
    sys.exit(tally.close())


if __name__ == "__main__":
    main()

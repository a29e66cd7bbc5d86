#!/usr/bin/env python3
"""Draws jobs of TRL's SFTTrainer, runs each with it and with zpc and zprun on the same rows, and compares everything around the updates: how
many there are and of which rows, what is logged and evaluated when, which checkpoints are left, the best of them, trainer_state.json, the
weights, and what a run that goes on from one of the checkpoints makes. Needs PyTorch, PEFT and TRL (evaluation/README.md), so it isn't among
tests/run.sh's and no part of CI.

    peers/bin/python tests/golden/compare_trainer.py [--bin build/bin] [--first 0] [--count 20] [--keep DIR]
    peers/bin/torchrun --nproc_per_node 2 tests/golden/compare_trainer.py …     both on two ranks, without going on from checkpoints

A case is drawn from its number alone (reference/draw_trainer.py). Prints a line a case:

    equal                      the same events and files, losses within 1e-4, norms 1e-3, rates and accuracies 1e-6; epochs and counts the same
    within noise               figures outside, but by less than 8 times what weights a millionth away make of the reference's own
    both refuse                neither the library nor the tools take it
    refused by ours            the tools alone refuse it, with the message
    refused by the reference   the library alone does
    DIFFERENT                  with what is; --keep leaves zprun's files there
    CRASHED                    a tool ended otherwise than with an answer or a coded refusal, or this script did

The last line counts them. Exit 1 when any is DIFFERENT or CRASHED.

What the reference does and zprun, by right, doesn't, is left out: it logs mean_token_accuracy as a mean of micro-batches, saves an epoch's last
update before it evaluates or logs the epoch, and forgets, when it goes on, tokens, losses since the last log and events of the update that it
goes on from. Its train_loss is of rank 0 alone where not all is logged. zprun's log is held to that of the run that wasn't interrupted.
A best model that isn't saved isn't drawn where the best is loaded: the reference then loads another or none.
"""

import collections
import contextlib
import json
import os
import shutil
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE / "evaluation")]

from compare_random import asked, compare_cases, parser_of_cases  # noqa: E402: before torch, whose environment it sets
import datasets  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from integration.support import pipeline, tools  # noqa: E402
from integration.support.golden_case import GoldenCase  # noqa: E402
from integration.support.saving import checkpoints  # noqa: E402
from make_curve import tokenizer  # noqa: E402
from make_trl_runs import CASE, LENGTH, arguments_of, documents, token_file  # noqa: E402
from peft import get_peft_model_state_dict  # noqa: E402
from reference.draw_trainer import TrainerDraw, draw_trainer  # noqa: E402
from reference.job import Job  # noqa: E402
from safetensors.numpy import load_file  # noqa: E402
from transformers import PrinterCallback  # noqa: E402
from transformers.utils import logging  # noqa: E402
from trl import SFTTrainer  # noqa: E402

RANKS, RANK = (int(os.environ.get(name, absent)) for name, absent in (("WORLD_SIZE", 1), ("RANK", 0)))
OURS = {name: f"{name}_of_batches" for name in ("eval_loss", "eval_mean_token_accuracy")}  # the reference's, by our names
LIMITS = {
    "loss": 1e-4, "train_loss": 1e-4, "eval_loss": 1e-4, "grad_norm": 1e-3, "learning_rate": 1e-6, "epoch": 0, "num_tokens": 0,
    "mean_token_accuracy": 1e-6, "eval_mean_token_accuracy": 1e-6, "eval_num_tokens": 0,
}  # fmt: skip
CHANGE = 2e-3
STATE = (
    "best_global_step", "epoch", "eval_steps", "global_step", "logging_steps", "max_steps", "num_train_epochs", "save_steps", "train_batch_size",
)  # fmt: skip
ROUNDED = ("loss", "train_loss", "eval_loss", "grad_norm", "mean_token_accuracy", "eval_mean_token_accuracy", "change")  # what noise may move


class Case:
    """A draw's rows and what it begins with."""

    def __init__(self, drawn, folder):
        self.drawn, self.folder = drawn, folder
        folder.mkdir(exist_ok=True)
        self.golden = GoldenCase(HERE / "cases" / CASE)
        self.name = "model.safetensors" if drawn.full else "adapter_model.safetensors"
        self.initial = load_file((self.golden.model if drawn.full else self.golden.adapter) / self.name)
        generator = np.random.default_rng(drawn.number)
        self.train, self.test = (self.rows(generator, count) for count in (drawn.documents, drawn.held_out))
        self.tokens = folder / "train.safetensors", folder / "test.safetensors"
        self.write(self.train, self.test)  # as they are, where the reference refuses before it packs them

    def write(self, *datasets):
        for path, rows in zip(self.tokens, datasets) if RANK == 0 else ():
            token_file(path, rows)

    def rows(self, generator, count):
        found = documents(generator, count)
        if not self.drawn.masked:
            return found
        begins = [generator.integers(0, len(ids) - 1) for ids in found["input_ids"]]
        return found.add_column("labels", [[-100] * begin + ids[begin:] for begin, ids in zip(begins, found["input_ids"])])


class Theirs:
    """A run of SFTTrainer, from weights that may be a little others."""

    def __init__(self, case, folder, nudge=None):
        drawn = case.drawn
        golden = GoldenCase(case.golden.folder)
        golden.import_flags["use_peft_lora"] = str(not drawn.full).lower()
        model = Job(golden).model
        if nudge is not None:
            generator = torch.Generator().manual_seed(nudge)
            for parameter in model.parameters():
                parameter.data.mul_(1 + 1e-6 * torch.randn(parameter.shape, generator=generator))
        arguments = arguments_of(folder, RANKS, **drawn.arguments, packing=drawn.packing)
        trainer = SFTTrainer(model=model, args=arguments, train_dataset=case.train, eval_dataset=case.test, processing_class=tokenizer())
        trainer.remove_callback(PrinterCallback)
        if nudge is None:
            case.write(trainer.train_dataset, trainer.eval_dataset)
        trainer.train()
        self.folder, self.state, self.history = folder, trainer.state, trainer.state.log_history
        state = trainer.model.state_dict() if drawn.full else get_peft_model_state_dict(trainer.model, save_embedding_layers=False)
        self.final = {name: tensor.detach().float().numpy().copy() for name, tensor in state.items()}


class Tools:
    """The same by zpc and zprun."""

    def __init__(self, case, chosen):
        self.case, self.chosen, self.out = case, chosen, case.folder / "ours"
        self.source = ["--model", case.golden.model] + ([] if case.drawn.full else ["--adapter_name_or_path", case.golden.adapter])

    def run(self, *more):
        plan = self.case.folder / "plan/plan.fb"
        of_plan, of_run = self.case.drawn.flags()
        if not more:
            flags = {**of_plan, "use_peft_lora": str(not self.case.drawn.full).lower(), "max_length": LENGTH, "num_processes": RANKS}
            flags.update(zero_stage=3 if RANKS > 1 else 0, stage3_param_persistence_threshold=0)
            plan = tools.make_plan(self.chosen.bin, self.source, flags, plan.parent, self.chosen.timeout)
        words = [self.chosen.bin / "zprun", plan, *self.source, "--dataset", self.case.tokens[0], "--output_dir", self.out, "-n", RANKS, *more]
        if self.case.drawn.evaluates:
            words += ["--eval_dataset", self.case.tokens[1]]
        with without_launcher():
            pipeline.call([*words, *(word for name, value in of_run.items() for word in (f"--{name}", value))], self.chosen.timeout)


@contextlib.contextmanager
def without_launcher():
    """zprun starts its own ranks."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if "RANK" in name or "WORLD_SIZE" in name or name.startswith("MASTER_")}
    yield
    os.environ.update(kept)


def kind(entry):
    return "end" if "train_runtime" in entry else "evaluation" if "eval_runtime" in entry else "log"


def in_order(history):
    """The reference logs an epoch after it has evaluated by steps."""
    return sorted(history, key=lambda entry: (entry["step"], ("log", "evaluation", "end").index(kind(entry))))


def change(mine, theirs, initial):
    """The largest gap of a tensor against how far it moved, of which rounding leaves a little everywhere."""
    return max(np.linalg.norm(mine[name] - want) / (np.linalg.norm(want - initial[name]) + 1e-3) for name, want in theirs.items())


class Comparison:
    def __init__(self, case, theirs):
        self.case, self.theirs, self.drawn = case, theirs, case.drawn
        self.wrong, self.gaps = [], {}  # gaps: {(place, figure): (how far, ours, theirs)}

    def say(self, place, what, mine, theirs):
        if mine != theirs:
            self.wrong.append(f"{place}: {what} {mine}, expected {theirs}")

    def figure(self, place, name, mine, theirs):
        if mine is None or theirs is None:
            return self.say(place, name, mine, theirs)
        away = abs(mine - theirs) / max(abs(theirs), 1e-2)
        if not away <= self.gaps.get(name, (0,))[0]:
            self.gaps[name] = away, f"{place} {mine}, expected {theirs}"

    def counts(self, name):
        """Whether the reference's figure is one that zprun has."""
        arguments = self.drawn.arguments
        if name == "mean_token_accuracy":  # after an evaluation it is of more than what was trained since
            every = arguments["logging_strategy"] == "steps" and arguments["logging_steps"] == 1
            return every and arguments["gradient_accumulation_steps"] == 1
        return name in LIMITS and (name != "train_loss" or RANKS == 1)

    def history(self, place, mine, theirs):
        mine, theirs = in_order(mine), in_order(theirs)
        if place.startswith("checkpoint"):
            step = int(place.split("-")[1])
            seen = [kind(entry) for entry in theirs if entry["step"] == step]
            mine = [entry for entry in mine if entry["step"] != step or kind(entry) in seen]
        events = [[(kind(entry), entry["step"]) for entry in entries] for entries in (mine, theirs)]
        if events[0] != events[1]:
            return self.say(place, "events", *events)
        for ours, entry in zip(mine, theirs):
            for name in filter(self.counts, entry):
                if kind(entry) != "end" or name in ("train_loss", "epoch"):
                    self.figure(f"{place} {kind(entry)} {entry['step']}", name, ours.get(OURS.get(name, name)), entry[name])

    def state(self, place, mine, theirs):
        for name in STATE:
            nothing = name == "best_global_step" and self.drawn.arguments["save_strategy"] == "no"  # the reference has none then
            self.say(place, name, None if nothing else mine[name], theirs[name])
        best = [path and Path(path).name for path in (mine["best_model_checkpoint"], theirs["best_model_checkpoint"])]
        self.say(place, "best_model_checkpoint", *best)
        self.figure(f"{place} best", "eval_loss", mine["best_metric"], theirs["best_metric"])

    def weights(self, place, mine, theirs):
        away = change(load_file(mine), theirs, self.case.initial)
        if not away <= self.gaps.get("change", (0,))[0]:
            self.gaps["change"] = away, place

    def run(self, out, place="", resumed=False):
        """zprun's files against a run of the reference."""
        state = json.loads((out / "trainer_state.json").read_text())
        history = [entry for entry in self.theirs.history if not (resumed and kind(entry) == "end")]
        self.history(place or "log", [entry for entry in state["log_history"] if not (resumed and kind(entry) == "end")], history)
        self.state(place or "end", state, vars(self.theirs.state))
        self.weights(place or "end", out / self.case.name, self.theirs.final)
        mine, theirs = checkpoints(out), checkpoints(self.theirs.folder)
        self.say(place or "end", "checkpoints", list(mine), list(theirs))
        for step in mine.keys() & theirs.keys():
            ours, reference = (json.loads((each[step] / "trainer_state.json").read_text()) for each in (mine, theirs))
            self.state(f"checkpoint-{step}", ours, reference)
            self.history(f"checkpoint-{step}", ours["log_history"], reference["log_history"])
            self.weights(f"checkpoint-{step}", mine[step] / self.case.name, load_file(theirs[step] / self.case.name))

    def over(self):
        return {name: gap for name, gap in self.gaps.items() if not gap[0] <= LIMITS.get(name, CHANGE)}


def noise(case, theirs):
    """{figure: the most that it moves}"""
    found = collections.Counter()
    for seed in range(2):
        other = Theirs(case, case.folder / f"nudged{seed}", nudge=seed)
        comparison = Comparison(case, theirs)
        for ours, entry in zip(in_order(other.history), in_order(theirs.history)):
            for name in filter(comparison.counts, entry):
                comparison.figure("", name, ours.get(name), entry[name])
        found["change"] = max(found["change"], change(other.final, theirs.final, case.initial))
        for name, (away, _) in comparison.gaps.items():
            found[name] = max(found[name], away)
    return found


def agree(value):
    """Rank 0's."""
    if RANKS == 1:
        return value
    values = [value]
    torch.distributed.broadcast_object_list(values)
    return values[0]


def compare(case, theirs, chosen):
    """A Comparison; on rank 0."""
    ours, comparison = Tools(case, chosen), Comparison(case, theirs)
    ours.run()
    comparison.run(ours.out)
    made = checkpoints(ours.out)
    earlier = [step for step in made if step < theirs.state.global_step and step in checkpoints(theirs.folder)]
    if not earlier or RANKS > 1 or comparison.wrong:
        return comparison
    start = earlier[int(case.drawn.resume * len(earlier))]
    for step, folder in made.items():
        if step > start:
            shutil.rmtree(folder)
    ours.run("--resume_from_checkpoint", made[start])
    comparison.run(ours.out, f"resumed from {start}", resumed=True)
    return comparison


def judge(comparison, measured):
    """(outcome, text)"""
    shown = ", ".join(f"{name} {gap[0]:.0e}" for name, gap in comparison.gaps.items() if name in ("loss", "eval_loss", "change"))
    said = [f"{name} {gap[0]:.1e}: {gap[1]} (noise {measured.get(name, 0):.0e})" for name, gap in comparison.over().items()
            if name not in ROUNDED or not gap[0] <= 8 * measured.get(name, 0)]  # fmt: skip
    if comparison.wrong or said:
        return "DIFFERENT", "; ".join([*comparison.wrong, *said][:6])
    return ("within noise" if comparison.over() else "equal"), shown


def run_case(drawn, folder, chosen):
    """(outcome, text), on rank 0; nothing on others."""
    case, theirs, refusal = Case(drawn, Path(agree(folder))), None, None
    try:
        theirs = Theirs(case, case.folder / "theirs")
    except Exception as problem:  # the library refuses with exceptions of every kind
        refusal = f"{type(problem).__name__}: {' '.join(str(problem).split())[:200]}"
    comparison = answer = None
    if RANK == 0:
        answer, comparison = asked(lambda: compare(case, theirs, chosen) if theirs else Tools(case, chosen).run(), refusal)
    measured = noise(case, theirs) if agree(bool(comparison and comparison.over())) else {}
    return answer or (judge(comparison, measured) if comparison else None)


def main():
    parser = parser_of_cases(__doc__)
    chosen = parser.parse_args()
    if chosen.family:
        parser.error("--family: there is one model, expected none; drop it")
    torch.set_num_threads(1)
    datasets.disable_progress_bars()
    if RANKS > 1:
        torch.distributed.init_process_group("gloo")
    cases = ((number, draw_trainer(number, RANKS)) for number in range(chosen.first, chosen.first + chosen.count))
    if RANK == 0:
        sys.exit(compare_cases(chosen, cases, TrainerDraw.describe, run_case))
    logging.disable_progress_bar()
    warnings.simplefilter("ignore")
    for _, drawn in cases:
        run_case(drawn, None, chosen)


if __name__ == "__main__":
    main()

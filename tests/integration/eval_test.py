#!/usr/bin/env python3
"""`zprun eval` against PEFT: its logits are those that PEFT gives for the same rows, with the adapter and without it.

    eval_test.py [--bin DIR]

tests/golden/eval/ holds PEFT's logits (its README: how they were made). Within 1e-4 of the largest logit on the tokens that
aren't padding; adapter on and off differ by far more. Then an adapter that zprun has just trained: eval reads it back, its
loss is below that of the starting adapter, its logits have moved, and with the adapter off nothing has. Then plans made of a
config.json alone, of weights whose names lack the base model's prefix, and of a head that isn't the embedding which that file
says it is. A line a check; the last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from support import pipeline, tools
from support.golden_case import find_cases

ROWS = 2
TOLERANCE = 1e-4  # of the largest logit
APART = 1e-2
NAMES = {"adapter_on": "on", "adapter_off": "off"}
CELLS = [(1, 0, []), (2, 3, []), (1, 0, ["--reference"])]


def evaluate(chosen, case, plan, adapter, switch, file, ranks, flags=()):
    """What eval reports as an object; the logits go to `file`."""
    words = ["--model", case.model, "--adapter_name_or_path", adapter, "--dataset", case.tokens, "-n", ranks]
    logits = ["--logits", file, "--rows", ROWS, "--adapter", switch]
    said = tools.call([chosen.bin / "zprun", "eval", plan, *words, *logits, "--quiet", *flags], chosen.timeout)
    return json.loads([line for line in said.splitlines() if line.startswith("{")][-1])


def write_logits(chosen, case, plan, adapter, work, ranks, flags=()):
    """{adapter_on, adapter_off} by `zprun eval`."""
    found = {}
    for name, switch in NAMES.items():
        evaluate(chosen, case, plan, adapter, switch, work / f"{name}.safetensors", ranks, flags)
        found[name] = load_file(work / f"{name}.safetensors")["logits"]
    return found


def apart(these, those, real):
    """The largest difference on real tokens as a share of the largest logit; infinite for shapes that differ or non-numbers."""
    if these.shape != those.shape or real.shape != those.shape[:2]:
        return float("inf")
    away = np.abs(these[real].astype(np.float64) - those[real]).max() / np.abs(those[real]).max()
    return float(away) if np.isfinite(away) else float("inf")


def compare(tally, label, ours, theirs, real):
    for name, switch in NAMES.items():
        away = apart(ours[name], theirs[name], real)
        failures = (
            [] if away <= TOLERANCE else [f"{away:.1e} of the largest logit from PEFT's, expected {TOLERANCE:.0e}"]
        )
        tally.check(
            f"{label} adapter {switch}",
            failures,
            f"{away:.1e} of the largest logit from PEFT's ({int(real.sum())} tokens)",
        )
    expect_moved(tally, f"{label} adapter on and off", apart(ours["adapter_on"], ours["adapter_off"], real))


def expect_moved(tally, label, away):
    good = APART < away < float("inf")
    tally.check(
        label, [] if good else [f"logits {away:.1e} apart, expected over {APART:.0e}"], f"logits {away:.2f} apart"
    )


def against_peft(chosen, case, theirs, work, tally):
    real = load_file(case.tokens)["segment_ids"][:ROWS] >= 0
    for ranks, stage, flags in CELLS:
        label = " ".join([case.name, f"ranks {ranks} zero {stage}", *flags])
        place = work / label.replace(" ", "-")
        try:
            job = pipeline.Job(chosen.bin, ranks, stage, timeout=chosen.timeout)
            source = ["--model", case.model, "--adapter_name_or_path", case.adapter]
            plan = tools.make_plan(chosen.bin, source, pipeline.import_flags(case, job), place, chosen.timeout)
            ours = write_logits(chosen, case, plan, case.adapter, place, ranks, flags)
        except pipeline.StageFailed as problem:
            tally.check(label, [str(problem)])
            continue
        compare(tally, label, ours, theirs, real)


def after_training(chosen, case, theirs, work, tally):
    label = f"{case.name} trained"
    try:
        out = pipeline.run(case, pipeline.Job(chosen.bin, 2, 3, timeout=chosen.timeout), work)
        before = evaluate(chosen, case, work / "plan.fb", case.adapter, "on", work / "before.safetensors", 2)
        after = evaluate(chosen, case, work / "plan.fb", out, "on", work / "after.safetensors", 2)
        evaluate(chosen, case, work / "plan.fb", out, "off", work / "off.safetensors", 2)
    except pipeline.StageFailed as problem:
        tally.check(label, [str(problem)])
        return
    fell = after["loss"] < 0.9 * before["loss"] and before["counted_tokens"] == after["counted_tokens"] > 0
    figures = f"loss {before['loss']:.4f} of the starting adapter, {after['loss']:.4f} of the trained one"
    tally.check(f"{label} loss", [] if fell else [f"{figures}, expected a tenth less"], figures)
    real = load_file(case.tokens)["segment_ids"][:ROWS] >= 0
    expect_moved(
        tally, f"{label} adapter", apart(load_file(work / "after.safetensors")["logits"], theirs["adapter_on"], real)
    )
    away = apart(load_file(work / "off.safetensors")["logits"], theirs["adapter_off"], real)
    failures = [] if away <= TOLERANCE else [f"logits {away:.1e} from the base model's, expected {TOLERANCE:.0e}"]
    tally.check(f"{label} adapter off", failures, f"logits {away:.1e} from the base model's")


def by_config_alone(chosen, work, tally):
    """A plan needs no weights; what they are called and whether the head is tied is then seen by zprun."""
    for name, prefix in (("bart_qv", "model."), ("llama_gqa_fp32", "model."), ("bloom_norms", "transformer.")):
        case = find_cases(tools.ROOT / "tests/golden/cases", [name])[0]
        config, bare = work / name / "config", work / name / "bare"
        for folder in (config, bare):
            folder.mkdir(parents=True)
            shutil.copy(case.model / "config.json", folder)
        weights = load_file(case.model / "model.safetensors")
        save_file({key.removeprefix(prefix): weight for key, weight in weights.items()}, bare / "model.safetensors")
        flags = pipeline.import_flags(case, pipeline.Job(chosen.bin, 1, 0, timeout=chosen.timeout))
        plans = [tools.make_plan(chosen.bin, ["--model", source], flags, work / name / source.name, chosen.timeout)
                 for source in (config, bare)]  # fmt: skip
        said = [loss_of(chosen, case, plan, model) for plan in plans for model in (bare, case.model)]
        failures = [] if len(set(said)) == 1 and said[0].startswith("{") else said
        tally.check(f"by config.json alone: {name}", failures, f"{len(said)} times {said[0][:40]}")
    case = find_cases(tools.ROOT / "tests/golden/cases", ["llama_full_tied"])[0]
    config, other = work / "tied", work / "untied"
    for folder in (config, other):
        folder.mkdir()
        shutil.copy(case.model / "config.json", folder)
    weights = load_file(case.model / "model.safetensors")
    for scale, expected in ((1, "{"), (2, "lm_head.weight is not the embedding")):
        head = {"lm_head.weight": scale * weights["model.embed_tokens.weight"]}
        save_file({**weights, **head}, other / "model.safetensors")
        flags = pipeline.import_flags(case, pipeline.Job(chosen.bin, 1, 0, timeout=chosen.timeout))
        plan = tools.make_plan(chosen.bin, ["--model", config], flags, work / f"tied{scale}", chosen.timeout)
        said = loss_of(chosen, case, plan, other)
        tally.check(f"by config.json alone: a head {scale} times the embedding", [] if expected in said else [said], said[:60])


def loss_of(chosen, case, plan, model):
    """What eval prints, or its error."""
    words = [chosen.bin / "zprun", "eval", plan, "--model", model, "--dataset", case.tokens, "--adapter", "off", "--quiet"]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=chosen.timeout)
    return done.stdout if done.returncode == 0 else f"exit {done.returncode}: {done.stderr}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tools.add_arguments(parser)
    chosen = parser.parse_args()
    references = sorted((tools.ROOT / "tests/golden/eval").glob("*.safetensors"))
    tally = tools.Tally()
    with tempfile.TemporaryDirectory(prefix="eval-") as scratch:
        work = chosen.work_dir or Path(scratch)
        for case in (
            find_cases(tools.ROOT / "tests/golden/cases", [path.stem for path in references]) if references else []
        ):
            theirs = load_file(tools.ROOT / f"tests/golden/eval/{case.name}.safetensors")
            against_peft(chosen, case, theirs, work, tally)
            after_training(chosen, case, theirs, work / f"{case.name}-trained", tally)
        by_config_alone(chosen, work, tally)
    sys.exit(tally.close())


if __name__ == "__main__":
    main()

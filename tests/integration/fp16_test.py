#!/usr/bin/env python3
"""fp16 with DeepSpeed's loss scale, where the golden runs (golden_test.py) and resuming (resume_test.py) don't look.

    fp16_test.py [--bin DIR] [--part ways|given|least|fresh|families ...]

ways   Over ranks, ZeRO stages, recomputation and offload: the same updates are skipped at the same scales, and the losses are
       one rank's. In shadow mode the same bytes.
given  A scale that overflows and never moves: every update is skipped and counted, and no byte of the adapter is changed.
least  An overflow at --min_loss_scale ends the run: a coded error on one line, exit code 5, on one rank and on two.
fresh  A fresh adapter is drawn as PEFT draws it under a base in fp16: each value of A is one that f16 can hold.
families  Golden runs of every family and of layer norms, biases and activations, in fp16: the losses are the reference's in fp32,
       as near as f16's rounding leaves them. At a scale of 2^12: mT5's gradients overflow at 2^16, in the reference too.
A line a check; the last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import json
import sys

import numpy as np
from safetensors.numpy import load_file
from support import saving, tools
from support.pipeline import StageFailed

SKIPS = "llama_fp16_skips"
# f16 keeps 11 bits: what is summed in another order may round to its neighbour.
TOLERANCE = 3e-4
# Against fp32 itself, over 20 updates that each start from the last.
FAMILY_TOLERANCE = 1e-2
FAMILIES = [
    "bart_all_linear",
    "bloom_left_padded",
    "bloom_norms",
    "falcon_alibi",
    "falcon_groups",
    "falcon_multi_query",
    "falcon_sequential_bias",
    "llama_full",
    "llama_modules_to_save",
    "mistral_window",
    "mt5_all_linear",
    "qwen2_packed",
    "qwen3_patterns",
    "t5_all_linear",
    "t5_full",
]
WAYS = [
    (1, 3, {}),
    *((2, stage, {}) for stage in (0, 1, 2, 3)),
    (4, 3, {}),
    (2, 3, {"rematerialize": "block"}),
    (2, 2, {"offload_optimizer_device": "cpu", "offload_activation_device": "cpu"}),
]


def lines_of(out):
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def ways(bench, tally):
    whole = bench.train(SKIPS, 1, 0)
    expected = lines_of(whole)
    skipped = expected[-1]["skipped_steps"]
    tally.check(
        "ways: the run skips some updates and not others",
        [] if 0 < skipped < len(expected) else [f"{skipped} of {len(expected)} are skipped"],
        f"{skipped} of {len(expected)}",
    )
    state = json.loads((whole / "trainer_state.json").read_text())["log_history"][-2]
    summary = json.loads((whole / "summary.json").read_text())
    said = [(place["loss_scale"], place["skipped_steps"]) for place in (expected[-1], state, summary)]
    tally.check("ways: metrics, trainer_state and summary say the same", [] if len(set(said)) == 1 else [str(said)])
    for ranks, stage, flags in WAYS:
        label = f"ways: {ranks} ranks, stage {stage} {' '.join(flags.values())}".rstrip()
        try:
            lines = lines_of(bench.train(SKIPS, ranks, stage, import_flags=flags))
        except StageFailed as problem:
            tally.check(label, [str(problem)])
            continue
        failures = [
            f"step {want['step']}: {key} is {got[key]}, expected {want[key]}"
            for got, want in zip(lines, expected)
            for key in ("loss_scale", "skipped_steps", "learning_rate")
            if got[key] != want[key]
        ]
        away = tools.gap([line["loss"] for line in lines], [line["loss"] for line in expected])
        if not away <= TOLERANCE:
            failures.append(f"loss {away:.1e} away, expected {TOLERANCE:.0e}")
        tally.check(label, failures, f"loss {away:.1e} away")
    shadow = bench.train(SKIPS, 1, 0, "--shadow")
    tally.check("ways: shadow mode", [] if saving.weights(shadow) == saving.weights(whole) else ["other bytes"])


def given(bench, tally):
    for ranks, stage in ((1, 0), (2, 1), (2, 3)):
        out = bench.train(SKIPS, ranks, stage, import_flags={"loss_scale": 2**32})
        lines = lines_of(out)
        before, after = load_file(bench.case(SKIPS).adapter / "adapter_model.safetensors"), load_file(out / "adapter_model.safetensors")
        failures = [f"{name} was changed" for name in before if not np.array_equal(before[name], after[name])]
        if [line["skipped_steps"] for line in lines] != list(range(1, 21)):
            failures.append("not every update is counted as skipped")
        if any(line["loss_scale"] != 2**32 or line["grad_norm"] is not None for line in lines):
            failures.append("the scale moved, or an overflow has a norm")
        tally.check(f"given: {ranks} ranks, stage {stage}", failures, "all 20 skipped, no byte changed")


def least(bench, tally):
    for ranks, stage in ((1, 0), (2, 3)):
        plan = bench.plan(SKIPS, ranks, stage, min_loss_scale=2**30)
        try:
            said = bench.run(bench.words(SKIPS, ranks, plan, bench.folder()), expect=5).stderr
            wanted = "error[ZP4001] step 3: gradients overflow at the loss scale 1073741824"
            failures = [] if wanted in said else [f"no word of it: {said[-300:]}"]
        except StageFailed as problem:
            failures = [str(problem)]
        tally.check(f"least: {ranks} ranks, stage {stage}", failures, "error[ZP4001], exit code 5")


def fresh(bench, tally):
    out = bench.train("llama_trainer", 2, 3, import_flags={"fp16": None, "learning_rate": 0})
    weights = {name: value for name, value in load_file(out / "adapter_model.safetensors").items() if "lora_A" in name}
    failures = [name for name, value in weights.items() if not np.array_equal(value, value.astype(np.float16).astype(np.float32))]
    tally.check("fresh: values of f16", failures[:1] if weights else ["no lora_A"], f"{len(weights)} tensors")


def families(bench, tally):
    for name in FAMILIES:
        label = f"families: {name}"
        try:
            out = bench.train(name, 2, 3, import_flags={"fp16": None, "initial_scale_power": 12})
        except StageFailed as problem:
            tally.check(label, [str(problem)])
            continue
        lines, expected = lines_of(out), bench.case(name).expected_steps()
        away = tools.gap([line["loss"] for line in lines], [step["loss"] for step in expected])
        failures = [] if away <= FAMILY_TOLERANCE else [f"loss {away:.1e} away, expected {FAMILY_TOLERANCE:.0e}"]
        if lines[-1]["skipped_steps"]:
            failures.append(f"{lines[-1]['skipped_steps']} updates are skipped")
        tally.check(label, failures, f"loss {away:.1e} away from fp32's")


if __name__ == "__main__":
    sys.exit(tools.run_parts(__doc__, "fp16", saving.Bench, (ways, given, least, fresh, families)))

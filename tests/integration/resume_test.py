#!/usr/bin/env python3
"""A resumed run ends as the run that never stopped.

    resume_test.py [--bin DIR] [--part exact|cross|chain|offload ...]

exact  On one rank and on two, every ZeRO stage, LoRA, all parameters, 16 and 4 bits, accumulation, shuffling, dropout: a run
       that goes on from a checkpoint in its middle writes the same adapter bytes and the same lines of metrics.jsonl, in
       its own folder and in a new one.
cross  Every checkpoint of (ranks, stage) resumed under every other: fp32 losses within 1e-6 of one rank's run without a
       stop.
chain  1, 2, 4, 2, 1 ranks in one run, a checkpoint after each few updates: the same.
offload  State in device memory, on the host and on disk, each resumed in each: the same bytes.
A line a check; the last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import json
import shutil
import sys

from support import saving, tools
from support.golden_case import GoldenCase
from support.pipeline import StageFailed
from support.variants import write_variant

TOLERANCE = 1e-6
FP32 = "llama_gqa_fp32"
SHUFFLED = {"train_sampling_strategy": "random"}
# (label, case, ranks, stage, flags of import)
EXACT = [
    ("fp32, 1 rank", FP32, 1, 0, {}),
    *((f"fp32, 2 ranks, stage {stage}", FP32, 2, stage, {}) for stage in (0, 1, 2, 3)),
    ("fp32, 4 ranks, stage 3", FP32, 4, 3, {}),
    ("shuffled, 2 ranks", FP32, 2, 3, SHUFFLED),
    ("accumulation and a short last update", "llama_accumulate3", 1, 0, {}),
    ("bf16, 2 ranks", "llama_gqa_bf16", 2, 3, {}),
    ("bf16, 2 ranks, stage 1", "llama_gqa_bf16", 2, 1, {}),
    ("fp16, stopped where updates are skipped", "llama_fp16_skips", 2, 3, {}),
    ("modules to save, tied", "llama_tied_modules_to_save", 2, 3, {}),
    ("all parameters", "llama_full", 2, 3, {}),
    ("all parameters in bf16, stage 1", "llama_full", 2, 1, {"bf16": None}),
    ("all parameters in bf16, stage 3", "llama_full", 2, 3, {"bf16": None}),
    ("a fresh adapter", "llama_trainer", 2, 3, {}),
    ("packed rows", "qwen2_packed", 1, 0, {}),
    ("4-bit weights, 1 rank", "llama_qlora", 1, 0, {}),
    ("4-bit weights, nested scales, 2 ranks", "llama_qlora_nested", 2, 3, {}),
]
SCHEDULES = {
    "WarmupDecayLR": {"total_num_steps": "auto", "warmup_min_lr": "auto", "warmup_max_lr": "auto", "warmup_num_steps": "auto"},
    "cosine_with_min_lr": {"min_lr": 1e-4},
}
EXACT += [
    (name, FP32, 2, 3, {"lr_scheduler_type": name, "lr_scheduler_kwargs": json.dumps(kwargs), "warmup_steps": 3,
                        "logging_next_learning_rate": "true"})
    for name, kwargs in SCHEDULES.items()
]  # fmt: skip
WAYS = [(1, 0), (1, 3), (2, 0), (2, 1), (2, 2), (2, 3), (4, 0), (4, 3)]


def same(out, whole):
    failures = []
    if saving.weights(out) != saving.weights(whole):
        failures.append("other bytes of trained weights")
    if saving.steps(out) != saving.steps(whole):
        failures.append("other lines of metrics.jsonl")
    return failures


def exact(bench, tally):
    lossy = write_variant(
        bench.case(FP32).folder, {"name": "lossy", "adapter_config": {"lora_dropout": 0.1}}, bench.work / "lossy"
    )
    for label, case, ranks, stage, flags in [*EXACT, ("dropout, 2 ranks", GoldenCase(lossy), 2, 3, {})]:

        def check():
            def run(out, *more):
                bench.train(case, ranks, stage, *more, out=out, import_flags=flags)
                return out

            whole = run(bench.folder("whole"), "--save_steps", 7)
            failures = [wrong for folder in saving.checkpoints(whole).values() for wrong in saving.damage(folder)]
            if list(saving.checkpoints(whole)) != [7, 14, 20]:
                failures.append(f"checkpoints {list(saving.checkpoints(whole))}, expected 7, 14, 20")
            anew = run(bench.folder("anew"), "--resume_from_checkpoint", whole / "checkpoint-7")
            failures += [f"in a new folder: {wrong}" for wrong in same(anew, whole)]
            again = shutil.copytree(whole, bench.folder("again"))
            shutil.rmtree(again / "checkpoint-20")
            shutil.rmtree(again / "checkpoint-7")  # the latest is the only one, and was being replaced when the run was killed
            (again / "checkpoint-14").rename(again / "checkpoint-14.old")
            run(again, "--resume_from_checkpoint", "latest")
            if list(saving.checkpoints(again)) != [14, 20] or (again / "checkpoint-14.old").exists():
                failures.append(f"left {sorted(path.name for path in again.iterdir())}")
            failures += [f"in the same folder: {wrong}" for wrong in same(again, whole)]
            ended = run(bench.folder("ended"), "--resume_from_checkpoint", whole / "checkpoint-20")
            failures += [f"at its end: {wrong}" for wrong in same(ended, whole)]
            return failures, "the same bytes and lines"

        tally.guard(f"exact: {label}", check)


def cross(bench, tally):
    reference = tools.losses(bench.train(FP32, 1, 0, "--save_strategy", "no"))
    for ranks, stage in WAYS:
        try:
            whole = bench.train(FP32, ranks, stage, "--save_steps", 10)
        except StageFailed as problem:
            tally.check(f"cross: {ranks} ranks, stage {stage}", [str(problem)])
            continue
        for others, other in WAYS:

            def check():
                out = bench.train(FP32, others, other, "--resume_from_checkpoint", whole / "checkpoint-10")
                away = tools.gap(tools.losses(out), reference)
                return (
                    [] if away <= TOLERANCE else [f"loss {away:.1e} away, expected {TOLERANCE:.0e}"]
                ), f"loss {away:.1e} away"

            tally.guard(f"cross: {ranks} ranks, stage {stage} → {others} ranks, stage {other}", check)


def chain(bench, tally):
    def check():
        reference = tools.losses(bench.train(FP32, 1, 0, "--save_strategy", "no"))
        last = None
        for i, (ranks, stage) in enumerate([(1, 0), (2, 3), (4, 1), (2, 0), (1, 3)]):
            flags = ["--save_steps", 4, *(["--resume_from_checkpoint", last] if last else [])]
            out = bench.train(FP32, ranks, stage, *flags)
            last = out / f"checkpoint-{4 * (i + 1)}"
        away = tools.gap(tools.losses(out), reference)
        return [] if away <= TOLERANCE else [f"loss {away:.1e} away"], f"loss {away:.1e} away"

    tally.guard("chain: 1, 2, 4, 2, 1 ranks", check)


def offload(bench, tally):
    disk = bench.folder("disk")
    disk.mkdir()
    places = {
        place: {"offload_optimizer_device": place, "offload_param_device": place, "nvme_path": disk}
        for place in ("none", "cpu", "nvme")
    }
    whole = {}
    for place, flags in places.items():

        def check():
            whole[place] = bench.train(FP32, 2, 3, "--save_steps", 7, import_flags=flags)
            return same(whole[place], whole["none"]), "the same bytes and lines"

        tally.guard(f"offload: {place}", check)
    for before in whole:
        for after, flags in places.items():

            def check():
                resume = ["--resume_from_checkpoint", whole[before] / "checkpoint-7"]
                out = bench.train(FP32, 2, 3, *resume, import_flags=flags)
                return same(out, whole["none"]), "the same bytes and lines"

            tally.guard(f"offload: {before} → {after}", check)


if __name__ == "__main__":
    sys.exit(tools.run_parts(__doc__, "resume", saving.Bench, (exact, cross, chain, offload)))

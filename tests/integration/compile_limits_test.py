#!/usr/bin/env python3
"""What compiling a large model costs: samples/configs/llama-2-70b by its config.json alone, bf16, ZeRO-3, LoRA on all-linear,
blocks recomputed.

    compile_limits_test.py [--bin DIR] [--config NAME]

For 8 and for 1024 ranks: import and compile below 1 GB of memory each, the plan below 5 MB, sound by `zpc check` and simulated by
`zpc simulate` on as many A100; the two plans within 1 % in size. Seconds are printed and not judged: a shared machine may be slow. A line a check; the last line is
'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from support import tools
from support.golden_case import spell_flags
from support.pipeline import StageFailed

MEMORY = 10**9
PLAN = 5 * 10**6
SIZES = 0.01
SETTINGS = {
    "bf16": None,
    "zero_stage": 3,
    "lora_r": 8,
    "lora_alpha": 16,
    "lora_target_modules": "all-linear",
    "per_device_train_batch_size": 1,
    "max_length": 2048,
    "gradient_checkpointing": None,
}
LAYERS = 80
DEVICES = 8


def compile_for(chosen, ranks, work, tally):
    """The plan's size, or None when there is none."""
    module, plan = work / f"{ranks}.mlir", work / f"{ranks}.fb"
    model = tools.ROOT / "samples/configs" / chosen.config
    steps = {
        "import": ["import", "--model", model, *spell_flags({**SETTINGS, "num_processes": ranks}), "-o", module],
        "compile": ["compile", module, "--target", "cuda", "-o", plan],
    }
    total = 0.0
    for name, words in steps.items():
        start = time.monotonic()
        try:
            tools.call([chosen.bin / "zpc", *words], chosen.timeout)
        except StageFailed as problem:
            tally.check(f"{ranks} ranks {name}", [str(problem)])
            return None
        took = time.monotonic() - start
        total += took
        # The peak over all children so far, which can only be more than this one's.
        peak = tools.children_peak_bytes()
        failures = [f"up to {peak} bytes of memory, expected below {MEMORY}"] if not 0 < peak < MEMORY else []
        tally.check(f"{ranks} ranks {name}", failures, f"{peak / 1e6:.0f} MB of memory at most, {took:.2f} s")
    size = plan.stat().st_size
    failures = [f"{size} bytes, expected below {PLAN}"] if size >= PLAN else []
    text = tools.call([chosen.bin / "zpdump", plan], chosen.timeout)
    blocks = {line.split("layers.")[1].split(".")[0] for line in text.splitlines() if " model.layers." in line}
    if len(blocks) != LAYERS or f"plan ranks={ranks} " not in text:
        failures.append(
            f"zpdump shows {len(blocks)} blocks and {text.splitlines()[0]!r}, expected {LAYERS} and {ranks} ranks"
        )
    tally.check(f"{ranks} ranks plan", failures, f"{size} bytes, {len(blocks)} blocks; {total:.2f} s in all")
    try:
        said = tools.call([chosen.bin / "zpc", "check", plan], chosen.timeout)
        tally.check(f"{ranks} ranks zpc check", [], said.strip())
    except StageFailed as problem:
        tally.check(f"{ranks} ranks zpc check", [str(problem)])
    start = time.monotonic()
    try:
        said = json.loads(tools.call([chosen.bin / "zpc", "simulate", plan, "--cluster", write_cluster(work), "--json"], chosen.timeout))
        good = said["nodes"] == ranks // DEVICES and 0 < said["exposed_communication_seconds"] < said["step_seconds"]
        note = f"{said['step_seconds']:.1f} s a step, {said['exposed_communication_seconds']:.1f} s of it exposed, on {said['nodes']} nodes"
        tally.check(f"{ranks} ranks zpc simulate", [] if good else [note], f"{note}; {total + time.monotonic() - start:.2f} s in all")
    except StageFailed as problem:
        tally.check(f"{ranks} ranks zpc simulate", [str(problem)])
    return size


def write_cluster(work):
    """The table's A100, taken for a machine that runs plans of this target."""
    path = work / "cluster.yaml"
    path.write_text(f"device: a100-80gb\ndevices_per_node: {DEVICES}\n")
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tools.add_arguments(parser, timeout=300)
    parser.add_argument("--config", default="llama-2-70b", help="folder of samples/configs")
    chosen = parser.parse_args()
    tally = tools.Tally()
    with tempfile.TemporaryDirectory(prefix="compile-limits-") as scratch:
        work = chosen.work_dir or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        few, many = (compile_for(chosen, ranks, work, tally) for ranks in (8, 1024))
    if few and many:
        away = abs(many - few) / few
        tally.check(
            "sizes of the two plans",
            [f"{away:.2%} apart, expected {SIZES:.0%}"] if away > SIZES else [],
            f"{away:.3%} apart",
        )
    sys.exit(tally.close())


if __name__ == "__main__":
    main()

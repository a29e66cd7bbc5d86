#!/usr/bin/env python3
"""`zprun bench --calibrate` and `zpc simulate`: what a machine's instructions took tells what other jobs on it will take.

    simulate_test.py [--bin DIR] [--ranks N] [--measure]

Without --measure a small job is calibrated on and held to be plausible: the file names every kernel that the job runs, reads back, and
a second plan's kernels join the first's; no time is judged. With --measure, by hand on an idle machine: calibrates on two jobs,
then measures five others, whose step must be predicted within 15 %. The last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from support import tools

CLOSE = 0.15
LORA = {"lora_r": 8, "lora_alpha": 16, "lora_target_modules": "all-linear", "per_device_train_batch_size": 1}
FOUR_BIT = {"bf16": "true", "use_4bit_quantization": "true", "use_nested_quant": "true"}
# (shape, flags): what --measure calibrates on, and what it predicts.
KNOWN = [
    ("llama-110m", {**LORA, "zero_stage": 3, "max_length": 256}),
    ("llama-20m", {**LORA, **FOUR_BIT, "zero_stage": 3, "max_length": 256}),
]
OTHERS = [
    ("llama-110m", {**LORA, "zero_stage": 0, "max_length": 512}),
    ("llama-110m", {**LORA, "zero_stage": 3, "max_length": 256, "rematerialize": "block"}),
    ("llama-20m", {**LORA, "zero_stage": 2, "max_length": 512, "per_device_train_batch_size": 2, "lora_r": 16, "gradient_accumulation_steps": 2}),
    ("llama-20m", {"use_peft_lora": "false", "zero_stage": 3, "max_length": 256, "per_device_train_batch_size": 2}),
    ("llama-110m", {**LORA, "zero_stage": 3, "max_length": 256, "offload_param_device": "cpu", "offload_optimizer_device": "cpu"}),
]


def make_plan(chosen, config, flags, folder):
    return tools.make_plan(chosen.bin, ["--model", tools.ROOT / "samples/configs" / config],
                           {**flags, "num_processes": chosen.ranks}, folder, chosen.timeout)


def bench(chosen, plan, *flags):
    return tools.call([chosen.bin / "zprun", "bench", plan, "-n", chosen.ranks, *flags], chosen.timeout)


def simulate(chosen, plan, machine, *flags):
    return json.loads(tools.call([chosen.bin / "zpc", "simulate", plan, "--cluster", machine, "--json", *flags], chosen.timeout))


def kernel_lines(machine):
    """The names under `kernels:`."""
    lines = machine.read_text().splitlines()
    return {line.split(":")[0].strip() for line in lines if line.startswith("  ")}


def check_plausible(chosen, work, tally):
    small = {**LORA, "zero_stage": 3, "max_length": 32, "stage3_param_persistence_threshold": 0}
    machine, plan = work / "machine.yaml", make_plan(chosen, "llama-20m", small, work / "floats")
    bench(chosen, plan, "--steps", 1, "--calibrate", machine)
    floats, said = kernel_lines(machine), simulate(chosen, plan, machine)
    moved = {"all_gather", "reduce_scatter", "all_reduce", "copy"}
    missing = [kind for kind in said["seconds_by_kind"] if kind not in moved and not any(line.startswith(kind) for line in floats)]
    tally.check("every kernel of the job has a line", [f"{missing} have none"] if missing else [], f"{len(floats)} lines")
    exposed = said["exposed_communication_seconds"]
    good = 0 < said["step_seconds"] and 0 < exposed < said["step_seconds"] and said["ranks"] == chosen.ranks and said["nodes"] == 1
    tally.check("what is simulated is plausible", [] if good else [json.dumps(said)], f"{exposed / said['step_seconds']:.0%} exposed")
    plan = make_plan(chosen, "llama-20m", {**small, **FOUR_BIT}, work / "codes")
    bench(chosen, plan, "--steps", 1, "--calibrate", machine)
    both = kernel_lines(machine)
    good = floats < both and any(line.startswith("nf4_matmul") for line in both)
    tally.check("another plan's kernels join those of the first", [] if good else [f"{sorted(both)} of {sorted(floats)}"], f"{len(both)} lines")
    trace = work / "trace.json"
    simulate(chosen, plan, machine, "--trace", trace)
    slices = [event for event in json.loads(trace.read_text())["traceEvents"] if event["ph"] == "X"]
    tally.check("the trace opens", [] if slices else ["it is empty"], f"{len(slices)} slices")


def measure(chosen, work, tally):
    machine = work / "machine.yaml"
    for number, (config, flags) in enumerate(KNOWN):
        bench(chosen, make_plan(chosen, config, flags, work / f"known{number}"), "--steps", 3, "--calibrate", machine)
    print(machine.read_text())
    for number, (config, flags) in enumerate(OTHERS):
        plan = make_plan(chosen, config, flags, work / f"other{number}")
        measured = json.loads(bench(chosen, plan, "--steps", 3))
        said = simulate(chosen, plan, machine)
        ratio = said["step_seconds"] / measured["step_seconds"]
        failures = [] if abs(ratio - 1) <= CLOSE else [f"predicted {ratio:.3f} of what was measured, expected within {CLOSE:.0%}"]
        tally.check(f"{config} {flags}", failures, f"{said['step_seconds']:.3f} s predicted, {measured['step_seconds']:.3f} s measured: {ratio:.3f}")
        kinds = sorted(measured["seconds_by_kind"].items(), key=lambda item: -item[1])[:8]
        print("   ", ", ".join(f"{kind} {said['seconds_by_kind'].get(kind, 0):.3f}/{seconds:.3f}" for kind, seconds in kinds), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tools.add_arguments(parser, timeout=600)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--measure", action="store_true")
    chosen = parser.parse_args()
    tally = tools.Tally()
    with tempfile.TemporaryDirectory(prefix="simulate-") as scratch:
        work = chosen.work_dir or Path(scratch)
        (measure if chosen.measure else check_plausible)(chosen, work, tally)
    sys.exit(tally.close())


if __name__ == "__main__":
    main()

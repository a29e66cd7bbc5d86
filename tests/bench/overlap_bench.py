#!/usr/bin/env python3
"""How much of the time of gathers prefetch hides: llama-110m under ZeRO-3 on two CPU ranks, with a slowed-down collective engine.

    overlap_bench.py [--bin DIR] [--length TOKENS] [--steps N] [--distances N…]

The speed of collectives is set so that a step's gathers take half as long as its compute in the plan without prefetch. Exposed is what a gather takes while its rank computes nothing (read from the measured timelines of all ranks).
Prints a line a plan, with the share of the exposed time that its prefetching hides. Not a test: no figure is asserted.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))

from support import tools  # noqa: E402
from support.timeline import covered, read_timeline  # noqa: E402

RANKS = 2
WARM_UP = 2  # updates of zprun bench before those it times


def make_plan(arguments, work, distance):
    flags = {
        "use_peft_lora": "true", "lora_r": 8, "lora_target_modules": "all-linear", "bf16": "true", "zero_stage": 3, "num_processes": RANKS,
        "stage3_param_persistence_threshold": 0, "per_device_train_batch_size": 1, "max_length": arguments.length, "max_steps": 100, "prefetch_distance": distance,
    }
    return tools.make_plan(arguments.bin, ["--model", ROOT / "samples/configs/llama-110m"], flags, work / str(distance), arguments.timeout)


def run(arguments, plan, trace, rate=None):
    """(step seconds, {rank: streams})"""
    words = [arguments.bin / "zprun", "bench", plan, "-n", RANKS, "--threads", "1", "--steps", arguments.steps, "--trace", trace]
    report = json.loads(tools.call(words + (["--throttle_collectives", rate] if rate else []), arguments.timeout))
    return report["step_seconds"], read_timeline(trace)


def mean(timeline, measure):
    """Seconds a step and rank of a measure in microseconds of the whole timeline."""
    return sum(measure(streams) for streams in timeline.values()) / len(timeline) / (arguments.steps + WARM_UP) * 1e-6


def compute(streams):
    return sum(each["dur"] for each in streams["stream 0"] if each["name"] not in ("all_gather", "reduce_scatter", "all_reduce"))


def gathered_bytes(streams):
    """What the others' shards come to: the operands are a shard and all of them."""
    return sum(each["args"]["bytes"] for slices in streams.values() for each in slices if each["name"] == "all_gather") * (RANKS - 1) / (RANKS + 1)


def main():
    with tempfile.TemporaryDirectory(prefix="overlap-") as scratch:
        work = Path(scratch)
        plans = {distance: make_plan(arguments, work, distance) for distance in (0, *arguments.distances)}
        rate = None
        for _ in range(2):  # the second time with compute as it is beside a slow link
            step, timeline = run(arguments, plans[0], work / "plain.json", rate)
            work_time, moved = mean(timeline, compute), mean(timeline, gathered_bytes) * 1e6
            rate = moved / (work_time / 2)
        print(f"compute {work_time:.3f} s a step, gathers bring {moved / 1e6:.1f} MB: throttled to {rate / 1e6:.1f} MB/s")
        exposed = {}
        for distance, plan in plans.items():
            step, timeline = run(arguments, plan, work / f"{distance}.json", rate)
            hidden, exposed[distance] = (mean(timeline, lambda streams, i=i: covered(streams)[i]) for i in (0, 1))
            note = f", {100 * (1 - exposed[distance] / exposed[0]):.1f} % of what the plan without prefetch exposes is hidden" if distance else ""
            print(f"prefetch distance {distance}: step {step:.3f} s, compute {mean(timeline, compute):.3f} s, gathers {hidden + exposed[distance]:.3f} s, "
                  f"of them exposed {exposed[distance]:.3f} s{note}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tools.add_arguments(parser, timeout=600)
    parser.add_argument("--length", type=int, default=512, help="tokens of each rank's row")
    parser.add_argument("--steps", type=int, default=4, help="timed updates")
    parser.add_argument("--distances", type=int, nargs="+", default=[-1, 1, 2], help="prefetch distances to measure beside 0; -1: left open, as without the flag")
    arguments = parser.parse_args()
    main()

#!/usr/bin/env python3
"""The measured timeline of `zprun --trace`: every instruction of every rank, and transfers beside the work that they are for.

    trace_test.py [--bin DIR]

A LoRA plan under ZeRO-3 on two ranks. Collectives are slowed down, so that a gather that is started early enough is under way while
its stream neighbour computes; without prefetch none is. The last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from support import pipeline, tools
from support.golden_case import GoldenCase
from support.timeline import covered, read_timeline

ROOT = tools.ROOT
SLOW = 20_000_000  # bytes a second: a gather of this model takes longer than a kernel
STEPS = 4


def make_plan(arguments, case, work, distance):
    job = pipeline.Job(arguments.bin, 2, 3, import_flags={"prefetch_distance": str(distance)})
    return tools.make_plan(arguments.bin, ["--model", case.model], pipeline.import_flags(case, job), work / str(distance), arguments.timeout)


def instructions_of(arguments, plan):
    """{entry kind: its instructions but events}"""
    text = tools.call([arguments.bin / "zpdump", plan], arguments.timeout)
    counts, kind = Counter(), None
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["entry"]:
            kind = words[2]
        elif kind and words[0][:-1].isdigit() and words[2] not in ("record_event", "wait_event"):
            counts[kind] += 1
    return counts


def check_timeline(tally, label, timeline, counts):
    failures = []
    if sorted(timeline) != ["rank 0", "rank 1"]:
        failures.append(f"processes {sorted(timeline)}, expected the two ranks")
    for rank, streams in timeline.items():
        kinds = Counter(slice_["args"]["at"].split(":")[0] for slices in streams.values() for slice_ in slices)
        # Two updates warm up before those that are timed; of each micro-batch and update all instructions are there.
        for kind in ("train_step", "apply_gradients"):
            if kinds[kind] == 0 or kinds[kind] % counts[kind] or kinds[kind] < STEPS * counts[kind]:
                failures.append(f"{rank}: {kinds[kind]} slices of {kind}, expected {STEPS} or more times {counts[kind]}")
        for stream, slices in streams.items():
            for before, after in zip(slices, slices[1:]):
                if before["ts"] + before["dur"] > after["ts"] + 0.002:  # microseconds, written with three digits
                    failures.append(f"{rank} {stream}: {before['name']} and {after['name']} overlap")
                    break
    tally.check(label, failures, f"{sum(len(s) for streams in timeline.values() for s in streams.values())} slices")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tools.add_arguments(parser)
    arguments = parser.parse_args()
    tally = tools.Tally()
    case = GoldenCase(ROOT / "tests/golden/cases/llama_gqa_fp32")
    with tempfile.TemporaryDirectory(prefix="trace-") as scratch:
        work = Path(scratch)
        hidden = {}
        for distance in (0, 1):
            plan, trace = make_plan(arguments, case, work, distance), work / f"{distance}.json"
            words = [arguments.bin / "zprun", "bench", plan, "-n", "2", "--threads", "1", "--steps", STEPS, "--trace", trace, "--throttle_collectives", SLOW]
            report = json.loads(tools.call(words, arguments.timeout))
            timeline = read_timeline(trace)
            check_timeline(tally, f"prefetch distance {distance}: a slice an instruction", timeline, instructions_of(arguments, plan))
            wrong = [] if report["throttled_to_bytes_per_second"] == SLOW else ["the report does not say that collectives were throttled"]
            tally.check(f"prefetch distance {distance}: a bench that was slowed says so", wrong)
            hidden[distance] = sum(covered(streams)[0] for streams in timeline.values())
        tally.check("without prefetch no gather runs beside a kernel", [f"{hidden[0]} us do"] if hidden[0] > 0 else [])
        tally.check("with prefetch gathers run beside kernels", [] if hidden[1] > 0 else ["none does"], f"{hidden[1] / 1000:.1f} ms do")

        bad = [arguments.bin / "zprun", "bench", plan, "-n", "2", "--trace", work / "no/such/trace.json"]
        done = subprocess.run([str(word) for word in bad], capture_output=True, text=True)
        wrong = [] if done.returncode == 7 and "error[ZP6001]" in done.stderr else [f"exit {done.returncode}: {done.stderr[-200:]}"]
        tally.check("a trace that can't be written is refused before the run", wrong)
    return tally.close()


if __name__ == "__main__":
    sys.exit(main())

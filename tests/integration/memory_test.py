#!/usr/bin/env python3
"""What zprun holds in memory is what the plan says.

    memory_test.py [--bin DIR] [--part shadow|resident|growth ...]

shadow    Every golden case with each buffer in a guarded mapping of its own (--shadow): the same losses and the same bytes of
          trained weights as without, so no buffer was read or written but where the plan says.
resident  On plans of some 50 MB to 2 GB, LoRA, QLoRA and all parameters, 1 rank and 2: each rank's anonymous and shared memory
          (/proc/PID/status, sampled from outside through loading, training and writing) is at most 200 MB over the plan's
          spaces, and what zprun says of itself agrees.
growth    With malloc, mmap and their kin counted (tests/support/malloc_counter, preloaded): from the second step to the 50th
          neither the counters nor the process's size in /proc grow.

A line a check; the last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from support import pipeline, tools
from support.golden_case import find_cases
from support.random_model import write_model, write_tokens

MB = 10**6
OVER_PLAN = 200 * MB
OWN_FIGURE = 16 * MB  # how far zprun's own figure may lie above what is seen from outside
SAMPLE_SECONDS = 0.002
VOCABULARY = 32000
COUNTERS = struct.Struct("5q")  # live, mapped, high, allocations, mappings: malloc_counter.c
HIGH_AT = 16


@dataclass
class Sample:
    """A model, how it is trained, and about how large its plan is on a rank."""

    name: str
    model: dict
    ranks: int
    megabytes: tuple  # least and most that the plan may be, for the check to be of the size that it says
    flags: dict = field(default_factory=dict)
    length: int = 64
    steps: int = 3
    in_place: bool = True  # ranks read each other's shards where they lie; else they copy them, into all that is planned


SMALL = {"hidden": 320, "inner": 832, "layers": 4, "heads": 10, "kv_heads": 5, "vocabulary": VOCABULARY}
MIDDLE = {"hidden": 1024, "inner": 2816, "layers": 5, "heads": 16, "kv_heads": 8, "vocabulary": VOCABULARY}
LARGE = {"hidden": 1536, "inner": 4096, "layers": 16, "heads": 16, "kv_heads": 8, "vocabulary": VOCABULARY}
FULL = {"use_peft_lora": "false"}
QLORA = {"bf16": None, "use_4bit_quantization": "true", "use_nested_quant": "true"}
SAMPLES = [
    Sample("LoRA bf16", SMALL, 1, (40, 80), {"bf16": None}),
    Sample("LoRA bf16", SMALL, 2, (40, 80), {"bf16": None}),
    Sample("LoRA fp32", LARGE, 1, (1800, 2400)),
    Sample("QLoRA bf16", LARGE, 1, (400, 700), QLORA),  # of 1 GB of weights in bf16, which are quantized as they are read
    Sample("QLoRA bf16", LARGE, 2, (300, 550), QLORA),
    Sample("QLoRA bf16 copied", LARGE, 2, (300, 550), QLORA, in_place=False),
    Sample("all parameters fp32", MIDDLE, 1, (1800, 2400), FULL),
    Sample("all parameters bf16", MIDDLE, 2, (1000, 2400), {**FULL, "bf16": None}),
    Sample("all parameters bf16 copied", MIDDLE, 2, (1000, 2400), {**FULL, "bf16": None}, in_place=False),
]


class Bench:
    """Models and token files made once in the scratch folder; plans of samples."""

    def __init__(self, chosen, work):
        self.chosen, self.work = chosen, work

    def model(self, shape):
        folder = self.work / "-".join(map(str, ["model", *shape.values()]))
        return folder if folder.exists() else write_model(folder, **shape)

    def prepare(self, sample):
        """(plan, words of zprun, output folder)"""
        folder = self.work / f"{sample.name}-{sample.ranks}-{sample.length}-{sample.model['hidden']}".replace(" ", "-")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        tokens = write_tokens(folder / "tokens.safetensors", 10, sample.length, VOCABULARY)
        source = ["--model", self.model(sample.model)]
        flags = {
            "per_device_train_batch_size": 1,
            "max_length": sample.length,
            "max_steps": sample.steps,
            "num_processes": sample.ranks,
            "zero_stage": 3,
            "stage3_param_persistence_threshold": 0,
            **sample.flags,
        }
        plan = tools.make_plan(self.chosen.bin, source, flags, folder, self.chosen.timeout)
        out = folder / "out"
        words = [self.chosen.bin / "zprun", plan, *source, "--dataset", tokens, "--output_dir", out, "-n", sample.ranks]
        words += [] if sample.in_place else ["--read_in_place", "false"]
        return plan, [str(word) for word in words], out


def spaces_of(chosen, plan):
    """The sum of the plan's spaces, in bytes."""
    text = tools.call([chosen.bin / "zpdump", plan], chosen.timeout)
    spaces = [line.split() for line in text.splitlines() if line.startswith("space ")]
    return sum(int(words[-1]) for words in spaces)


def status(pid, *names):
    """Sum of these kB lines of /proc/PID/status in bytes; 0 for a process that is no more."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return 1024 * sum(int(line.split()[1]) for line in lines if line.split(":")[0] in names)


def rank_processes(process, ranks):
    """The processes that are ranks: zprun itself, or the children that it has forked."""
    if ranks == 1:
        return [process.pid]
    try:
        return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def peaks_of(words, ranks, timeout, log):
    """Runs zprun to its end; {pid: most anonymous and shared bytes} of its ranks. Raises StageFailed."""
    peaks, until = {}, time.monotonic() + timeout
    with open(log, "w+") as file:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
        while process.poll() is None:
            for pid in rank_processes(process, ranks):
                peaks[pid] = max(peaks.get(pid, 0), status(pid, "RssAnon", "RssShmem"))
            if time.monotonic() > until:
                process.kill()
                process.wait()
                raise pipeline.StageFailed("zprun", None, log.read_text())
            time.sleep(SAMPLE_SECONDS)
    if process.returncode:
        raise pipeline.StageFailed("zprun", process.returncode, log.read_text())
    return peaks


def resident(chosen, work, tally):
    bench = Bench(chosen, work)
    for sample in SAMPLES:
        label = f"resident {sample.name} hidden {sample.model['hidden']} ranks {sample.ranks}"
        start = time.monotonic()
        try:
            plan, words, out = bench.prepare(sample)
            planned = spaces_of(chosen, plan)
            peaks = peaks_of(words, sample.ranks, chosen.timeout, out.parent / "zprun.log")
        except pipeline.StageFailed as problem:
            tally.check(label, [str(problem)])
            continue
        said = json.loads((out / "summary.json").read_text())
        most = max(peaks.values())
        failures = []
        if not sample.megabytes[0] * MB <= planned <= sample.megabytes[1] * MB:
            failures.append(f"the plan is of {planned} bytes, which isn't the size that is to be checked")
        if len(peaks) != sample.ranks or min(peaks.values()) < planned / 2:
            failures.append(
                f"peaks {sorted(peaks.values())} can't be those of {sample.ranks} ranks that have {planned} bytes"
            )
        if most > planned + OVER_PLAN:
            failures.append(
                f"{most} bytes, {(most - planned) / MB:.0f} MB over the plan's {planned}, expected {OVER_PLAN // MB}"
            )
        if said["planned_bytes"] != planned:
            failures.append(f"summary.json says {said['planned_bytes']} bytes planned, zpdump {planned}")
        if not planned / 2 < said["measured_bytes"] <= most + OWN_FIGURE:
            failures.append(f"summary.json says {said['measured_bytes']} bytes measured, from outside {most} were seen")
        figures = f"planned {planned / MB:.1f} MB, at most {most / MB:.1f} ({(most - planned) / MB:+.1f})"
        tally.check(
            label,
            failures,
            f"{figures}, by its own account {said['measured_bytes'] / MB:.1f}; {time.monotonic() - start:.0f} s",
        )
        shutil.rmtree(out.parent)


def shadow(chosen, work, tally):
    for case in find_cases(tools.ROOT / "tests/golden/cases"):
        outs = {}
        try:
            for name, flags in {"plain": [], "shadow": ["--shadow"]}.items():
                job = pipeline.Job(chosen.bin, 2, 3, run_flags=flags, timeout=chosen.timeout)
                outs[name] = pipeline.run(case, job, work / case.name / name)
        except pipeline.StageFailed as problem:
            tally.check(f"shadow {case.name}", [str(problem)])
            continue
        file = "model.safetensors" if case.trains_everything else "adapter_model.safetensors"
        plain, guarded = (out / file for out in outs.values())
        failures = []
        if plain.read_bytes() != guarded.read_bytes():
            failures.append(f"{file} differs")
        if tools.losses(outs["plain"]) != tools.losses(outs["shadow"]):
            failures.append("the losses differ")
        tally.check(f"shadow {case.name}", failures, f"{plain.stat().st_size} bytes of {file} equal")


class Watched:
    """A run that goes on until it is ended, stopped whenever its ranks are looked at."""

    def __init__(self, words, ranks, out, counters):
        self.ranks, self.out, self.counters = ranks, out, counters
        self.log = open(out.parent / "zprun.log", "w+")  # noqa: SIM115
        environment = {
            **os.environ,
            "LD_PRELOAD": str(counters.parent / "libmalloc_counter.so"),
            "MALLOC_COUNTER": str(counters),
        }
        self.process = subprocess.Popen(
            words, stdout=self.log, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )

    def steps(self):
        file = self.out / "metrics.jsonl"
        return file.read_text().count("\n") if file.exists() else 0

    def wait_for(self, steps, timeout):
        until = time.monotonic() + timeout
        while self.steps() < steps:
            if self.process.poll() is not None or time.monotonic() > until:
                raise pipeline.StageFailed("zprun", self.process.poll(), (self.out.parent / "zprun.log").read_text())
            time.sleep(SAMPLE_SECONDS)

    def look(self):
        """Stops the ranks; {pid: (high-water mark since the last look, calls, size by /proc)} and the marks set anew."""
        pids = rank_processes(self.process, self.ranks)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        until = time.monotonic() + 10
        for pid in pids:
            while any(
                task.read_text().rsplit(")", 1)[1].split()[0] != "T"
                for task in Path(f"/proc/{pid}/task").glob("*/stat")
            ):
                if time.monotonic() > until:
                    raise pipeline.StageFailed("zprun", None, f"rank process {pid} doesn't stop")
                time.sleep(SAMPLE_SECONDS)
        seen = {}
        for pid in pids:
            with open(f"{self.counters}.{pid}", "r+b") as file:
                live, mapped, high, allocations, mappings = COUNTERS.unpack(file.read(COUNTERS.size))
                file.seek(HIGH_AT)
                file.write(struct.pack("q", live + mapped))
            seen[pid] = high, allocations, mappings, status(pid, "VmSize")
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        return seen

    def end(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()


# The bar is set by steps 2 and 3, or a few more where the steps are quicker than the looks; then a look every so often.
LOOKS = [1, 3, 10, 20, 30, 40, 50]


def growth(chosen, work, tally):
    bench = Bench(chosen, work)
    library = work / "libmalloc_counter.so"
    source = tools.ROOT / "tests/support/malloc_counter/malloc_counter.c"
    tools.call([os.environ.get("CC", "cc"), "-O2", "-shared", "-fPIC", "-o", library, source], chosen.timeout)
    for ranks in (1, 2):
        for name, flags in {
            "LoRA bf16 dropout": {"bf16": None, "lora_dropout": 0.1, "gradient_accumulation_steps": 2},
            "LoRA fp32 recomputed": {"rematerialize": "block"},
        }.items():
            label = f"growth {name} ranks {ranks}"
            sample = Sample(f"growth {name}", SMALL, ranks, (0, 0), flags, length=96, steps=10**6)
            try:
                _, words, out = bench.prepare(sample)
                watched = Watched(words, ranks, out, work / f"counters-{ranks}-{len(flags)}")
                try:
                    looks = []
                    for steps in LOOKS:
                        watched.wait_for(steps, chosen.timeout)
                        looks.append((watched.steps(), watched.look()))
                finally:
                    watched.end()
            except pipeline.StageFailed as problem:
                tally.check(label, [str(problem)])
                continue
            judge(tally, label, ranks, looks)


def judge(tally, label, ranks, looks):
    (_, _), (start, bar), *later = looks
    failures = []
    if len(bar) != ranks or start > 10:
        failures.append(f"{len(bar)} ranks seen first at step {start}, expected {ranks} at step 3 or little later")
    for step, seen in later:
        for pid, (high, _, _, size) in seen.items():
            if high > bar[pid][0]:
                failures.append(f"{high - bar[pid][0]} bytes more allocated by step {step} than by step {start}")
            if size > bar[pid][3]:
                failures.append(f"process {size - bar[pid][3]} bytes larger at step {step} than at step {start}")
    last, seen = later[-1]
    calls = [(after[1] - bar[pid][1], after[2] - bar[pid][2]) for pid, after in seen.items()]
    if not all(high > 0 and count > 0 for high, count, _, _ in bar.values()):
        failures.append("nothing was counted")
    highs = ", ".join(f"{high / MB:.1f} MB" for high, *_ in seen.values())
    made = "; ".join(f"{blocks} blocks and {maps} mappings made" for blocks, maps in calls)
    tally.check(
        label,
        failures,
        f"steps {start} to {last}: allocated and mapped {highs}, no more than before; {made} and given back",
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tools.add_arguments(parser, timeout=300)
    parts = {"shadow": shadow, "resident": resident, "growth": growth}
    parser.add_argument("--part", action="append", choices=parts, help="only this part (may be repeated)")
    chosen = parser.parse_args()
    tally = tools.Tally()
    with tempfile.TemporaryDirectory(prefix="memory-") as scratch:
        work = chosen.work_dir or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        for name in chosen.part or parts:
            parts[name](chosen, work, tally)
    sys.exit(tally.close())


if __name__ == "__main__":
    main()

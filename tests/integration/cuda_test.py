#!/usr/bin/env python3
"""The CUDA target on emulated GPUs: what a GPU's streams, graphs and peers ask of the executor.

    cuda_test.py [--bin DIR]

- Streams: a run with everything offloaded writes the same bytes in whatever order the emulated device carries out what events leave open.
- Floats that are kept of 4-bit weights (`--dequant_cache_bytes`): on a CPU the bytes of a run without them, on a GPU the reference's
  numbers, and the plan's peak says what they take.
- Floats that two products share, where memory is free or was set aside: the bytes of a run without them, at the peak of one.
- `zprun bench` says nothing of a GPU's plan that was measured on the CPU; `--trace` has a slice an instruction.
- Fused attention, loops in cuDNN's place: the reference's numbers in bf16, in replayed graphs too, and not the bytes of our own kernels: it was used.
  A word that names neither is refused.
- NCCL (tests/support/fake_nccl, where nccl.h is): the reference's numbers on two ranks under ZeRO-3, replayed graphs among them. A rank that
  is killed ends the other within 10 s with exit code 6 and one line, wherever the other is: in replayed graphs (which NCCL's abort waits
  for), in a launch behind a full queue, in the first collective, in NCCL's meeting. So does one that has no library, and one whose GPU
  breaks (exit code 1 there), though nothing of a broken GPU can be given back; finished checkpoints stay whole. Ranks that share a GPU are
  refused on all of them, before they meet.
- A GPU with room for the plan alone is refused (exit code 3): libraries want some, too.
The last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import json
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import trace_test
from support import compare, pipeline, tools
from support.golden_case import GoldenCase
from support.timeline import read_timeline

CASES = tools.ROOT / "tests/golden/cases"
TARGET = ["--target", "cuda"]
SECONDS_TO_END = 10
TASKS_BEFORE_THE_FAULT = 2000  # of an emulated device: some updates
ALL_OFFLOADED = {f"offload_{what}_device": "cpu" for what in ("param", "optimizer", "activation")}


def job_of(chosen, ranks=1, stage=0, flags=None, target="cuda"):
    job = pipeline.Job(chosen.bin, ranks, stage, import_flags=flags or {}, timeout=chosen.timeout)
    return replace(job, compile_flags=TARGET, zprun="zprun_emulated") if target == "cuda" else job


def trained(out):
    return tools.losses(out), (out / "adapter_model.safetensors").read_bytes()


class Environment:
    """Variables that hold while a run is started."""

    def __init__(self, **variables):
        self.variables, self.before = variables, {}

    def __enter__(self):
        for name, value in self.variables.items():
            self.before[name] = os.environ.get(name)
            os.environ[name] = str(value)

    def __exit__(self, *_):
        for name, value in self.before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def check_against_reference(tally, label, case, job, work):
    """The run's output folder, or none."""
    try:
        out = pipeline.run(case, job, work)
        failures, figures = compare.compare(case, out)
    except (pipeline.StageFailed, compare.Mismatch) as problem:
        tally.check(label, [str(problem)])
        return None
    tally.check(label, failures, ", ".join(figures.values()))
    return out


def check_orders(chosen, tally, work):
    case = GoldenCase(CASES / "llama_qlora_nested")
    flags = {**ALL_OFFLOADED, "rematerialize": "block", "prefetch_distance": "1"}
    first = None
    for order in ("1", "lowest", "highest"):
        label = f"streams in the order {order}, all offloaded"
        with Environment(ZP_EMULATED_ORDER=order):
            out = check_against_reference(tally, label, case, job_of(chosen, 1, 3, flags), work / f"order-{order}")
        if out:
            first = first or trained(out)
            tally.check(f"{label}: the bytes of the first", [] if trained(out) == first else ["losses or weights differ"])


def device_memory(chosen, plan):
    text = tools.call([chosen.bin / "zpc", "explain", plan, "--memory", "--json"], chosen.timeout)
    return json.loads(text)["spaces"]["device"]


def peak(chosen, plan):
    return device_memory(chosen, plan)["peak_bytes"]


def shared_products(chosen, plan):
    """Products that leave their floats, and products that multiply by such floats."""
    text = tools.call([chosen.bin / "zpdump", plan], chosen.timeout)
    return len(re.findall(r" nf4_matmul .* floats=%", text)), len(re.findall(r" matmul .* b=%[0-9]+ \S+ floats[0-9]+", text))


def check_cache(chosen, tally, work):
    case = GoldenCase(CASES / "llama_qlora_nested")
    cache = {"dequant_cache_bytes": "1000000000"}
    plain = pipeline.run(case, job_of(chosen, target="cpu"), work / "plain")
    cached = pipeline.run(case, job_of(chosen, target="cpu", flags=cache), work / "cached")
    tally.check("floats of 4-bit weights on a CPU: the same bytes", [] if trained(plain) == trained(cached) else ["losses or weights differ"])
    more = peak(chosen, work / "cached/plan.fb") - peak(chosen, work / "plain/plan.fb")
    tally.check("floats of 4-bit weights: the plan's peak has them", [] if more > 0 else [f"{more} bytes more"], f"{more} bytes more")
    # The same by zpc compile's flag.
    words = [chosen.bin / "zpc", "compile", work / "plain/model.mlir", "--dequant_cache_bytes", "1GB", "-o", work / "flag.fb"]
    tools.call(words, chosen.timeout)
    same = peak(chosen, work / "flag.fb") == peak(chosen, work / "cached/plan.fb")
    tally.check("floats of 4-bit weights: zpc compile's flag is import's", [] if same else ["another peak"])
    check_against_reference(tally, "floats of 4-bit weights on a GPU", case, job_of(chosen, flags=cache), work / "cuda-cached")


def check_shared_floats(chosen, tally, work):
    case = GoldenCase(CASES / "llama_qlora_nested")
    for what, ranks, stage, bytes_more in (("one rank, in free memory", 1, 0, 1), ("two ranks that gather them", 2, 3, 100_000)):
        label, found = f"floats that two products share, {what}", []
        for aside in ("0", str(bytes_more)):
            job = job_of(chosen, ranks, stage, {"rematerialize": "block", "dequant_cache_bytes": aside})
            out = check_against_reference(tally, f"{label}, {aside} bytes set aside", case, job, work / f"shared-{ranks}-{aside}")
            found.append((out, work / f"shared-{ranks}-{aside}/plan.fb"))
        if not all(out for out, _ in found):
            continue
        (alone, plan), (together, shared) = found
        tally.check(f"{label}: the same bytes", [] if trained(alone) == trained(together) else ["losses or weights differ"])
        left, read = shared_products(chosen, shared)
        none = shared_products(chosen, plan)
        tally.check(f"{label}: are there", [] if left == read > 0 and none == (0, 0) else [f"{left} are left, {read} read; without, {none}"], f"{left} of them")
        grown = peak(chosen, shared) - peak(chosen, plan)
        most = bytes_more + peak(chosen, plan) // 500  # what placing may lose
        tally.check(f"{label}: within what was set aside", [] if grown <= most else [f"{grown} bytes more"], f"{grown} bytes more")


def check_fused_attention(chosen, tally, work):
    case, found = GoldenCase(CASES / "llama_gqa_bf16"), {}
    for choice in ("own", "fused"):
        with Environment(ZP_DEVICE_ATTENTION=choice):
            found[choice] = check_against_reference(tally, f"attention, {choice}, bf16", case, job_of(chosen, 2, 3), work / f"attention-{choice}")
    if all(found.values()):
        differ = trained(found["own"]) != trained(found["fused"])
        tally.check("fused attention was used", [] if differ else ["the bytes are those of our own kernels"])
    with Environment(ZP_DEVICE_ATTENTION="best"):
        words = pipeline.commands(case, job_of(chosen, 2, 3), work / "attention-own")["zprun"]
        ended = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=chosen.timeout, check=False)
    right = ended.returncode == 2 and "ZP_DEVICE_ATTENTION: is best, expected fused or own" in ended.stderr
    tally.check("attention by neither", [] if right else [f"exit {ended.returncode}: {ended.stderr.strip()[-300:]}"])


def check_bench(chosen, tally, work):
    case = GoldenCase(CASES / "llama_gqa_fp32")
    job = job_of(chosen, 2, 3)
    folder = work / "bench"
    folder.mkdir()
    words = pipeline.commands(case, job, folder)
    for tool in ("zpc import", "zpc compile"):
        tools.call(words[tool], chosen.timeout)
    plan, trace = folder / "plan.fb", folder / "trace.json"
    bench = [chosen.bin / "zprun_emulated", "bench", plan, "-n", 2, "--steps", trace_test.STEPS, "--trace", trace]
    with Environment(ZP_DEVICE_COLLECTIVES="staged"):
        report = json.loads(tools.call(bench, chosen.timeout))
    wrong = [f"{key} is {report[key]}" for key in ("model_bound", "matmul_flops_per_second", "matmul_dtype", "kernel_path") if report[key] is not None]
    if not math.isfinite(report["loss"]) or not report["step_seconds"] > 0:
        wrong.append(f"loss {report['loss']}, {report['step_seconds']} s a step")
    tally.check("bench of a GPU's plan says nothing of the CPU", wrong)
    planned = peak(chosen, plan)
    wrong = [] if report["attention"].startswith("own: ") else [f"attention: {report['attention']}"]
    wrong += [] if planned <= report["device_bytes"] < planned + 64e6 else [f"{report['device_bytes']} bytes of the device, {planned} planned"]
    tally.check("bench of a GPU's plan says whose attention runs and what the device holds", wrong)
    with Environment(ZP_DEVICE_COLLECTIVES="staged", ZP_EMULATED_MEMORY=planned + 500_000_000):
        ended = subprocess.run([str(word) for word in bench], capture_output=True, text=True, timeout=chosen.timeout, check=False)
    right = ended.returncode == 3 and "error[ZP2003]" in ended.stderr and "its libraries about" in ended.stderr
    tally.check("a GPU with room for the plan alone", [] if right else [f"exit {ended.returncode}: {ended.stderr.strip()[-300:]}"])
    trace_test.check_timeline(tally, "a slice an instruction", read_timeline(trace), trace_test.instructions_of(chosen, plan))


def ranks_by_variables(words, libraries, variables=({}, {})):
    """A process a rank, each with its own folders of libraries and variables, as torchrun starts them: nobody ends one for another."""
    job = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(20000 + os.getpid() % 20000)}
    running = []
    for rank, folder in enumerate(libraries):
        own = {"RANK": str(rank), "LOCAL_RANK": str(rank), "ZP_DEVICE_COLLECTIVES": "nccl", "LD_LIBRARY_PATH": str(folder), **variables[rank]}
        running.append(
            subprocess.Popen(
                words,
                env={**os.environ, **job, **own},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    return running


def endings(running, seconds):
    """[(exit code, output)]; None for one that had to be killed."""
    until, found = time.monotonic() + seconds, []
    for process in running:
        try:
            text, _ = process.communicate(timeout=max(until - time.monotonic(), 0.1))
            found.append((process.returncode, text))
        except subprocess.TimeoutExpired:
            process.kill()
            found.append((None, process.communicate()[0]))
    return found


def check_lost_peers(chosen, tally, fake, work):
    case = GoldenCase(CASES / "llama_gqa_fp32")
    job = job_of(chosen, 2, 3, {"max_steps": "100000"})
    folder = work / "lost"
    folder.mkdir()
    words = pipeline.commands(case, job, folder)
    for tool in ("zpc import", "zpc compile"):
        tools.call(words[tool], chosen.timeout)
    run = [str(word) for word in words["zprun"]] + ["--quiet"]
    del run[run.index("-n") : run.index("-n") + 2]
    running = ranks_by_variables(run, [fake, fake])
    metrics, until = folder / "out/metrics.jsonl", time.monotonic() + chosen.timeout
    while not (metrics.exists() and metrics.read_text().count("\n") >= 3) and time.monotonic() < until and running[0].poll() is None:
        time.sleep(0.05)
    running[1].send_signal(signal.SIGKILL)
    start = time.monotonic()
    (code, text), _ = endings(running, SECONDS_TO_END)
    failures = [] if code == 6 and "error[ZP5001]" in text and "rank 1 is gone" in text else [f"exit {code}: {text.strip()[-300:]}"]
    tally.check("NCCL: a killed rank ends the other", failures, f"{time.monotonic() - start:.1f} s after the kill")

    for where, queue, moment in (
        ("in a launch behind a full queue", {"ZP_EMULATED_QUEUE": "16"}, "5"),
        ("in its first collective", {}, "1"),
        ("in NCCL's meeting", {}, "init"),
    ):
        start = time.monotonic()
        (code, text), (killed, _) = endings(ranks_by_variables(run, [fake, fake], (queue, {"ZP_FAKE_NCCL_DIES": f"1:{moment}"})), 2 * SECONDS_TO_END)
        failures = [] if code == 6 and text.count("error[ZP") == 1 and "rank 1 is gone" in text else [f"exit {code}: {text.strip()[-300:]}"]
        failures += [] if killed == -signal.SIGKILL else [f"rank 1: exit {killed}"]
        tally.check(f"NCCL: a killed rank ends one that is stuck {where}", failures, f"{time.monotonic() - start:.1f} s, start and all")

    saving, last = [*run, "--save_steps", "1", "--save_total_limit", "3"], 0
    breaking = ({}, {"ZP_EMULATED_FAULT": str(TASKS_BEFORE_THE_FAULT)})
    for label, flags in (("ends both", []), ("leaves checkpoints whole", ["--resume_from_checkpoint", "latest"])):
        start = time.monotonic()
        (code, text), (other, said) = endings(ranks_by_variables(saving + flags, [fake, fake], breaking), chosen.timeout)
        failures = [] if code == 6 and "rank 1 is gone" in text else [f"rank 0: exit {code}: {text.strip()[-300:]}"]
        failures += [] if other == 1 and "error[ZP9002]" in said else [f"rank 1: exit {other}: {said.strip()[-300:]}"]
        failures += [] if "the latest good checkpoint is" in said else ["rank 1 names no checkpoint"]
        steps = [place.name.removeprefix("checkpoint-") for place in (folder / "out").glob("checkpoint-*")]
        before, last = last, max((int(step) for step in steps if step.isdigit()), default=0)  # others are unfinished
        failures += [] if last > before else [f"the last checkpoint is that of step {last}, it was {before}"]
        tally.check(f"NCCL: a rank whose GPU breaks {label}", failures, f"{time.monotonic() - start:.1f} s, start and all; step {last}")

    found = endings(ranks_by_variables(run, [fake, fake], ({"ZP_EMULATED_DEVICES": "1"}, {"ZP_EMULATED_DEVICES": "1"})), 2 * SECONDS_TO_END)
    failures = [f"exit {code}: {text.strip()[-300:]}" for code, text in found if code != 2 or "ranks 0 and 1 have one GPU" not in text]
    tally.check("NCCL: ranks that share a GPU are refused", failures)

    broken = work / "no-library"
    broken.mkdir()
    (broken / "libnccl.so.2").write_text("no library, found before any other\n")
    (code, text), (other, said) = endings(ranks_by_variables(run, [fake, broken]), 2 * SECONDS_TO_END)
    failures = [] if code == 6 and "rank 1 could not load it" in text else [f"rank 0: exit {code}: {text.strip()[-300:]}"]
    failures += [] if other == 2 and "libnccl.so.2" in said else [f"rank 1: exit {other}: {said.strip()[-300:]}"]
    tally.check("NCCL: a rank without the library ends all before they meet", failures)


def check_nccl(chosen, tally, work):
    fake = chosen.bin.parent / "tests/fake_nccl"
    if not (fake / "libnccl.so.2").exists():
        print("no fake of NCCL here, the build found no nccl.h: its cells are left out", flush=True)
        return
    for name, order in (("llama_gqa_fp32", "1"), ("llama_qlora_nested", "highest")):
        with Environment(ZP_DEVICE_COLLECTIVES="nccl", LD_LIBRARY_PATH=fake, ZP_EMULATED_ORDER=order):
            check_against_reference(tally, f"NCCL, {name}, order {order}", GoldenCase(CASES / name), job_of(chosen, 2, 3), work / f"nccl-{name}")
    check_lost_peers(chosen, tally, fake, work)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tools.add_arguments(parser, timeout=300)
    chosen = parser.parse_args()
    chosen.bin = chosen.bin.resolve()
    tally = tools.Tally()
    with tempfile.TemporaryDirectory(prefix="cuda-") as scratch:
        work = chosen.work_dir or Path(scratch)
        for part in (check_orders, check_cache, check_shared_floats, check_fused_attention, check_bench, check_nccl):
            part(chosen, tally, work)
    return tally.close()


if __name__ == "__main__":
    sys.exit(main())

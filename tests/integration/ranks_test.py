#!/usr/bin/env python3
"""One golden case over ranks, ZeRO stages, engines, shadow mode and numbers of threads; ways to schedule collectives; dropout
over ways to cut an update; and a rank that is killed.

    ranks_test.py [--bin DIR] [--case NAME] [--no_mpi]

A line a cell with the bytes that rank 0 gathered and reduced; the last line is 'N passed, N failed'. Exit 1 when any failed.
- Losses of every cell are those of one rank with ZeRO-0 within 1e-6 relative.
- All runs of one plan write the same adapter_model.safetensors, byte for byte: twice, on any engine, with any number of
  threads, in shadow mode, and where ranks copy each other's shards instead of reading them in place.
- How far ahead units are gathered, how often gradients are reduced and which of them together changes no loss, but what is
  exchanged as it says.
- Killed mid-step, the other ranks end within 10 s with exit code 6, and nothing lies under the adapter's name.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from support import pipeline
from support.golden_case import GoldenCase, find_cases
from support.tools import Tally, gap, losses
from support.variants import write_variant

ROOT = Path(__file__).resolve().parents[2]
MPIRUN = "mpirun --allow-run-as-root --oversubscribe --bind-to none -n {ranks}"
MANY_MICRO_BATCHES = "llama_accumulate3"
TOLERANCE = 1e-6
SECONDS_TO_END = 10


class Plan:
    """A compiled plan and its runs."""

    def __init__(self, case, job, work):
        self.case, self.job, self.work = case, job, work
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        words = pipeline.commands(case, job, work)
        for tool in ("zpc import", "zpc compile"):
            done = subprocess.run([str(w) for w in words[tool]], capture_output=True, text=True, timeout=job.timeout)
            if done.returncode:
                raise pipeline.StageFailed(tool, done.returncode, done.stdout + done.stderr)

    def command(self, launcher, flags, out):
        job = replace(self.job, launcher=launcher, run_flags=flags)
        words = [str(w) for w in pipeline.commands(self.case, job, self.work)["zprun"]]
        words[words.index("--output_dir") + 1] = str(out)
        return words

    def run(self, name, launcher, flags):
        out = self.work / name
        done = subprocess.run(
            self.command(launcher, flags, out), capture_output=True, text=True, errors="replace", timeout=self.job.timeout
        )
        if done.returncode:
            raise pipeline.StageFailed("zprun", done.returncode, done.stdout + done.stderr)
        return out


def cells(engines):
    """(label, launcher, flags); the first is run twice."""
    yield "local", "", []
    yield "local again", "", []
    for engine, launcher in engines:
        for shadow in (False, True):
            for threads in (1, 2):
                flags = ["--threads", str(threads)] + (["--shadow"] if shadow else [])
                yield f"{engine} threads {threads}{' shadow' if shadow else ''}", launcher, flags
        yield f"{engine} copied", launcher, ["--read_in_place", "false"]  # as ranks of several hosts do


def matrix(chosen, case, work, tally):
    engines = [("local", "")] + ([] if chosen.no_mpi else [("mpi", MPIRUN)])
    reference = None
    for ranks in (1, 2, 4):
        for stage in (0, 3):
            name = f"ranks {ranks} zero {stage}"
            try:
                plan = Plan(case, pipeline.Job(chosen.bin, ranks, stage, timeout=chosen.timeout), work / name.replace(" ", "-"))
            except pipeline.StageFailed as problem:
                tally.check(name, [str(problem)])
                continue
            adapter = None
            for label, launcher, flags in cells(engines):
                try:
                    out = plan.run(label.replace(" ", "-"), launcher, flags)
                except (pipeline.StageFailed, subprocess.TimeoutExpired) as problem:
                    tally.check(f"{name} {label}", [str(problem)])
                    continue
                summary = json.loads((out / "summary.json").read_text())
                written = (out / "adapter_model.safetensors").read_bytes()
                reference, adapter = reference or losses(out), adapter or written
                failures = []
                if (away := gap(losses(out), reference)) > TOLERANCE:
                    failures.append(f"loss {away:.1e} from one rank's, expected {TOLERANCE:.0e}")
                if written != adapter:
                    failures.append("adapter_model.safetensors has other bytes than the first run's")
                moved = summary["gathered_bytes"], summary["reduced_bytes"]
                if (ranks == 1) != (moved[1] == 0) or (ranks > 1 and stage == 3) != (moved[0] > 0 and ranks > 1 and stage == 3):
                    failures.append(f"{moved[0]} bytes gathered and {moved[1]} reduced cannot be of {ranks} ranks, stage {stage}")
                tally.check(
                    f"{name} {label}", failures, f"loss {away:.1e}, gathered {moved[0]} bytes, reduced {moved[1]} bytes"
                )


def schedules(chosen, case, work, tally):
    """Ways to schedule collectives, on guarded buffers: the same losses, and the bytes that each is for."""
    case = find_cases(ROOT / "tests/golden/cases", [MANY_MICRO_BATCHES])[0]
    ways = [
        ("one rank", 1, 0, {}),
        ("distance 1", 2, 3, {}),
        ("distance 0", 2, 3, {"prefetch_distance": "0"}),
        ("distance 3", 2, 3, {"prefetch_distance": "3"}),
        ("distance 3, no bytes", 2, 3, {"prefetch_distance": "3", "prefetch_bytes": "1"}),
        ("reduced once", 2, 3, {"reduce_gradients": "step"}),
        ("reduced once, values whole", 2, 2, {"reduce_gradients": "step"}),
        ("buckets", 2, 2, {"reduce_bucket_size": "1000000"}),
        ("buckets, stage 0", 2, 0, {"reduce_bucket_size": "1000000"}),
    ]
    moved, reference = {}, None
    for label, ranks, stage, flags in ways:
        job = pipeline.Job(chosen.bin, ranks, stage, import_flags=flags, timeout=chosen.timeout)
        try:
            out = Plan(case, job, work / f"schedule-{label.replace(' ', '-')}").run("out", "", ["--shadow"])
        except (pipeline.StageFailed, subprocess.TimeoutExpired) as problem:
            tally.check(f"schedule {label}", [str(problem)])
            continue
        reference = reference or losses(out)
        away = gap(losses(out), reference)
        summary = json.loads((out / "summary.json").read_text())
        gathered, reduced = moved[label] = summary["gathered_bytes"], summary["reduced_bytes"]
        failures = [f"loss {away:.1e} from one rank's, expected {TOLERANCE:.0e}"] if away > TOLERANCE else []
        usual = moved.get("distance 1")
        if label == "distance 3" and not gathered < usual[0]:
            failures.append(f"gathered {gathered} bytes, expected fewer than the {usual[0]} at distance 1")
        if label.startswith("distance 0") or label.endswith("no bytes"):
            if not gathered > usual[0]:
                failures.append(f"gathered {gathered} bytes, expected more than the {usual[0]} at distance 1")
        if label == "reduced once" and not reduced < usual[1]:
            failures.append(f"reduced {reduced} bytes, expected fewer than the {usual[1]} of every micro-batch")
        tally.check(f"schedule {label}", failures, f"loss {away:.1e}, gathered {gathered} bytes, reduced {reduced} bytes")


def dropout(chosen, case, work, tally):
    """The same masks, however an update is cut into ranks and micro-batches, and whether they are made once or twice."""
    lossy = GoldenCase(
        write_variant(case.folder, {"name": "dropout", "adapter_config": {"lora_dropout": 0.1}}, work / "dropout-case")
    )
    batch = int(case.import_flags["per_device_train_batch_size"])
    half = {"per_device_train_batch_size": str(batch // 2), "gradient_accumulation_steps": "2"}
    ways = [
        ("without", case, 1, {}),
        ("1 rank", lossy, 1, {}),
        ("2 ranks", lossy, 2, {}),
        ("recomputed", lossy, 1, {"rematerialize": "block"}),
        ("2 micro-batches", lossy, 1, half),
    ]
    seen = {}
    for label, which, ranks, flags in ways:
        job = pipeline.Job(chosen.bin, ranks, 3, import_flags=flags, timeout=chosen.timeout)
        try:
            seen[label] = losses(Plan(which, job, work / f"dropout-{label.replace(' ', '-')}").run("out", "", []))
        except (pipeline.StageFailed, subprocess.TimeoutExpired) as problem:
            tally.check(f"dropout {label}", [str(problem)])
            continue
        if label == "without" or "1 rank" not in seen:
            continue
        away = gap(seen[label], seen["1 rank"])
        failures = [f"loss {away:.1e} from one rank's, expected {TOLERANCE:.0e}"] if away > TOLERANCE else []
        if "without" in seen and gap(seen[label], seen["without"]) < 1e-4:
            failures.append("the loss is that without dropout")
        tally.check(f"dropout {label}", failures, f"loss {away:.1e}")


def descendants(pid):
    """Processes that run zprun below `pid`."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            if Path(f"/proc/{child}/comm").read_text().strip() == "zprun":
                found.append(child)
            found += descendants(child)
    return found


def killed_rank(chosen, case, work, tally):
    engines = [("local", "", 6)] + ([] if chosen.no_mpi else [("mpi", MPIRUN, None)])
    for engine, launcher, expected in engines:
        label = f"killed rank {engine}"
        job = pipeline.Job(chosen.bin, 2, 3, import_flags={"max_steps": "10000000"}, timeout=chosen.timeout)
        try:
            plan = Plan(case, job, work / label.replace(" ", "-"))
        except pipeline.StageFailed as problem:
            tally.check(label, [str(problem)])
            continue
        out = plan.work / "out"
        with open(plan.work / "log", "w") as log:
            process = subprocess.Popen(plan.command(launcher, ["--quiet"], out), stdout=log, stderr=log, start_new_session=True)
        tally.check(label, *kill_one(process, out, expected, plan.work / "log"))


def kill_one(process, out, expected, log):
    try:
        until = time.monotonic() + 60
        while not ((out / "metrics.jsonl").exists() and (out / "metrics.jsonl").read_text().count("\n") >= 3):
            if process.poll() is not None or time.monotonic() > until:
                return [f"did not start training: exit {process.poll()}, {log.read_text().strip()[-300:]}"], ""
            time.sleep(0.05)
        ranks = descendants(process.pid)
        if len(ranks) < 2:
            return [f"{len(ranks)} ranks are running, expected 2"], ""
        os.kill(ranks[-1], signal.SIGKILL)
        start = time.monotonic()
        try:
            code = process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            return [f"still running {SECONDS_TO_END} s after the kill"], ""
        took = time.monotonic() - start
        failures = []
        left = [pid for pid in ranks if Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]]
        if left:
            failures.append(f"rank processes {left} are left")
        if code == 0 or (expected is not None and code != expected):
            failures.append(f"exit {code}, expected {'a failure' if expected is None else expected}")
        if expected is not None and "error[ZP5001]" not in log.read_text():
            failures.append(f"no error[ZP5001] in: {log.read_text().strip()[-300:]}")
        if list(out.glob("adapter_model.safetensors*")):
            failures.append("an adapter was written")
        return failures, f"ended {took:.1f} s after the kill with exit {code}"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "build/bin", help="folder of zpc and zprun")
    parser.add_argument("--case", default="llama_gqa_fp32")
    parser.add_argument("--no_mpi", action="store_true", help="leave the cells of mpirun out")
    parser.add_argument("--timeout", type=float, default=120, help="seconds a tool may take")
    parser.add_argument("--work_dir", type=Path, help="keeps every run's files here")
    chosen = parser.parse_args()
    if not chosen.no_mpi and not shutil.which("mpirun"):
        print("no mpirun here: its cells are left out")
        chosen.no_mpi = True
    case = find_cases(ROOT / "tests/golden/cases", [chosen.case])[0]
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="ranks-") as scratch:
        for part in (matrix, schedules, dropout, killed_rank):
            part(chosen, case, chosen.work_dir or Path(scratch), tally)
    sys.exit(tally.close())


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Offload to a disk that isn't there, can't be written, is full, or goes away: a coded error, the ranks gone, nothing left behind
and nothing lost: a run whose disk went away goes on from its last checkpoint on another, to the bytes of one that kept its disk.

    nvme_test.py [--bin DIR]

A QLoRA plan whose frozen weights live on disk, on two ranks. A disk that is memory (tmpfs) is used with one line that says so.
The last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from support import pipeline, saving, tools
from support.golden_case import GoldenCase

ROOT = tools.ROOT
CODED = re.compile(r"error\[ZP(\d{4})\] .*")


def limited():
    """No file above 64 KiB: what is offloaded has no room. Of one rank, because several share memory through a file."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))


class Bench:
    def __init__(self, arguments, work):
        self.bin, self.timeout, self.work, self.number = arguments.bin, arguments.timeout, work, 0
        self.tally = tools.Tally()
        self.case = GoldenCase(ROOT / "tests/golden/cases/llama_qlora_nested")
        self.plan, self.lone = self.compile("plan"), self.compile("lone", ranks=1)
        # Enough updates that a disk can go away in the midst of them, few enough to do them twice.
        self.long = self.compile("long", max_steps="200")

    def compile(self, name, ranks=2, **flags):
        job = pipeline.Job(self.bin, ranks, 3, import_flags={"offload_param_device": "nvme", "nvme_path": str(self.work / "absent"), **flags})
        source = ["--model", self.case.model, "--adapter_name_or_path", self.case.adapter]
        return tools.make_plan(self.bin, source, pipeline.import_flags(self.case, job), self.work / name, self.timeout)

    def words(self, plan, disk=None, out=None):
        self.number += 1
        self.out = out or self.work / f"out{self.number}"
        words = [self.bin / "zprun", plan, "--model", self.case.model, "--adapter_name_or_path", self.case.adapter, "--dataset", self.case.tokens]
        words += ["--output_dir", self.out, "-n", 1 if plan == self.lone else 2] + (["--nvme_path", disk] if disk else [])
        return [str(word) for word in words]

    def run(self, disk=None, plan=None, before=None, inside=()):
        return subprocess.run(list(inside) + self.words(plan or self.plan, disk), stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                              timeout=self.timeout, preexec_fn=before)

    def refused(self, label, done, error, says, disk=None):
        coded = CODED.findall(done.stderr)
        failures = []
        if done.returncode != 7:
            failures.append(f"exit {done.returncode}, expected 7")
        if coded != [str(error)]:
            failures.append(f"errors {coded}, expected one ZP{error}")
        for word in (says, "--nvme_path"):
            if word not in done.stderr:
                failures.append(f"does not say {word}")
        if disk and list(Path(disk).iterdir()):
            failures.append(f"left behind: {list(Path(disk).iterdir())}")
        if (self.out / "metrics.jsonl").exists() and (self.out / "metrics.jsonl").read_text():
            failures.append("began to train")
        self.tally.check(label, failures + ([done.stderr[-300:]] if failures else []), done.stderr.strip()[:150])

    def works(self, label, done, notice, disk):
        lines = [line for line in done.stderr.splitlines() if "takes no direct transfers" in line]
        failures = [] if done.returncode == 0 else [f"exit {done.returncode}: {done.stderr[-300:]}"]
        if len(lines) != notice:
            failures.append(f"{len(lines)} lines about direct transfers, expected {notice}")
        if not failures and not all(map(float.__ge__, tools.losses(self.out), [0.0] * 20)):
            failures.append("losses that are no numbers")
        if list(Path(disk).iterdir()):
            failures.append("left something behind")
        self.tally.check(label, failures, lines[0] if lines else "")


def offload_files(pid):
    """What the ranks below a process hold open in place of a disk."""
    children = [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    for child in children:
        for link in Path(f"/proc/{child}/fd").iterdir():
            try:
                if ".zeroplan-offload-" in os.readlink(link):
                    yield link
            except OSError:
                continue


def vanishing(bench, disk):
    """The file is cut to nothing under a run that only reads it: what a drive that is gone looks like to a read."""
    words = [*bench.words(bench.long, disk), "--save_steps", "2", "--save_total_limit", "3"]
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    failures, out = [], bench.out
    try:
        deadline = time.monotonic() + bench.timeout
        while not saving.checkpoints(out):
            if process.poll() is not None or time.monotonic() > deadline:
                raise TimeoutError("no checkpoint was made: " + (process.stderr.read() if process.poll() is not None else ""))
            time.sleep(0.005)
        files = list(offload_files(process.pid))
        if not files:
            failures.append("no rank holds an offload file")
        for file in files[:1]:  # of one rank: the other must end, too
            os.truncate(file, 0)
        start = time.monotonic()
        stderr = process.communicate(timeout=bench.timeout)[1]
        if process.returncode != 7:
            failures.append(f"exit {process.returncode}, expected 7: {stderr[-300:]}")
        if CODED.findall(stderr) != ["6001"]:
            failures.append(f"errors {CODED.findall(stderr)}, expected one ZP6001")
        if "offload file: cannot be read" not in stderr:
            failures.append("does not say what could not be read")
        for line in (out / "metrics.jsonl").read_text().splitlines():
            json.loads(line)  # what was done before it is whole
        found = saving.checkpoints(out)
        failures += [wrong for folder in found.values() for wrong in saving.damage(folder)]
        if f"the latest good checkpoint is {found[max(found)]}" not in stderr:
            failures.append(f"does not name {found[max(found)]}: {stderr[-300:]}")
        note = f"all ranks ended within {time.monotonic() - start:.1f} s, at a checkpoint of update {max(found)}"
    except (TimeoutError, subprocess.TimeoutExpired) as late:
        failures, note = [*failures, f"hangs: {late}"], ""
    finally:
        process.kill()
        process.wait()
    bench.tally.check("a disk that goes away while training", failures, note)
    if not failures:
        nothing_lost(bench, out, disk)


def nothing_lost(bench, out, disk):
    """Resumed where there is a disk, the run ends as one whose disk stayed."""
    other = bench.work / "other-disk"
    other.mkdir()
    resumed = [*bench.words(bench.long, other, out), "--save_strategy", "no", "--resume_from_checkpoint", "latest", "--quiet"]
    whole = [*bench.words(bench.long, disk), "--save_strategy", "no", "--quiet"]
    try:
        for words in (resumed, whole):
            tools.call(words, bench.timeout)
    except tools.StageFailed as problem:
        bench.tally.check("nothing is lost with the disk", [str(problem)])
        return
    failures = [] if saving.weights(out) == saving.weights(bench.out) else ["other bytes of trained weights"]
    failures += [] if saving.steps(out) == saving.steps(bench.out) else ["other lines of metrics.jsonl"]
    bench.tally.check("nothing is lost with the disk", failures, "the bytes and lines of a run whose disk stayed")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tools.add_arguments(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nvme-", dir=os.environ.get("TMPDIR", "/var/tmp")) as scratch:
        work = Path(scratch)
        bench = Bench(arguments, work)
        disk = work / "disk"
        disk.mkdir()
        bench.refused("a path that is missing", bench.run(), 6001, "absent")
        (work / "file").write_text("")
        bench.refused("a path that is a file", bench.run(work / "file"), 6001, "file")
        bench.refused("a path that can't be written", bench.run("/proc"), 6001, "/proc")
        bench.refused("a disk without room", bench.run(disk, bench.lone, before=limited), 6002, str(disk), disk)
        namespace = ["unshare", "--user", "--map-root-user", "--mount"]
        if subprocess.run([*namespace, "true"], capture_output=True).returncode == 0:
            small = ["sh", "-c", f'mount -t tmpfs -o size=64k none {disk} && exec "$@"', "sh"]
            bench.refused("a file system that is full", bench.run(disk, inside=[*namespace, *small]), 6002, str(disk))
            fixed = ["sh", "-c", f'mount -t tmpfs none {disk} && mount -o remount,ro {disk} && exec "$@"', "sh"]
            bench.refused("a file system that is read-only", bench.run(disk, inside=[*namespace, *fixed]), 6001, "Read-only file system")
            memory = ["sh", "-c", f'mount -t tmpfs none {disk} && exec "$@"', "sh"]
            bench.works("a file system that is memory", bench.run(disk, inside=[*namespace, *memory]), 1, disk)
        else:
            print("no mounts of its own for a user here: full, read-only and memory file systems are left to the unit tests")
        bench.works("a disk", bench.run(disk), 0, disk)
        vanishing(bench, disk)
        return bench.tally.close()


if __name__ == "__main__":
    sys.exit(main())

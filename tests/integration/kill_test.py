#!/usr/bin/env python3
"""Runs that are killed: each resumes from its last complete checkpoint and ends with the bytes of one that never was.

    kill_test.py [--bin DIR] [--runs N] [--seed S] [--only KIND]

A run trains on 1 rank or 2, with a checkpoint every few updates, and is ended by force up to three times before it may
end by itself. How, by turns:
    instant   SIGKILL at any instant from the start on: a rank, the job's parent, or all
    writing   SIGKILL while a checkpoint is being written
    ending    SIGKILL once what is trained has begun to be written at the end
    disk      the disk is full (a small tmpfs; a limit on file sizes where nothing can be mounted): exit 7 names the
              latest good checkpoint; then there is room again
    both      SIGKILL at any instant on a disk that is about to be full
After each end every checkpoint under a final name is whole by its manifest and none that was complete is gone; at last
the trained weights are the same bytes, metrics.jsonl has every step once, and nothing lies under a temporary name.
A line a run; the last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from support import saving, tools
from support.pipeline import StageFailed

CASE = "llama_gqa_fp32"
LENGTH = {"max_steps": "60"}
WAYS = [(1, 0), (2, 3), (2, 0)]
KINDS = ("instant", "writing", "disk", "both", "ending")
KEPT = 3  # --save_total_limit
SECONDS = 60


def runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Disk:
    """A file system that is full after so many bytes."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.mounted = self.mount("size=64k")

    def mount(self, options):
        words = ["mount", "-t", "tmpfs", "-o", options, "zeroplan-kill-test", str(self.folder)]
        try:
            return subprocess.run(words, capture_output=True).returncode == 0
        except OSError:
            return False

    def room(self, size):
        subprocess.run(["mount", "-o", f"remount,size={size}", str(self.folder)], check=True, capture_output=True)

    def close(self):
        if self.mounted:
            subprocess.run(["umount", str(self.folder)], check=True, capture_output=True)


class Reference:
    """A way to run, its uninterrupted end, and how long it takes."""

    def __init__(self, bench, ranks, stage):
        self.ranks, self.plan = ranks, bench.plan(CASE, ranks, stage, **LENGTH)
        start = time.monotonic()
        out = bench.train(CASE, ranks, stage, "--save_steps", 3, import_flags=LENGTH)
        self.seconds = time.monotonic() - start
        self.weights, self.steps = saving.weights(out), saving.steps(out)


class Run:
    """One run with its ends. Raises Wrong with what isn't as it has to be."""

    class Wrong(Exception):
        pass

    def __init__(self, bench, reference, kind, chance, disk):
        self.bench, self.reference, self.kind, self.chance, self.disk = bench, reference, kind, chance, disk
        self.out = (disk.folder if disk.mounted else bench.work) / f"run{chance.randrange(1 << 60)}"
        self.seen = set()  # steps that were complete at some time
        self.ends = []

    def words(self):
        found = saving.checkpoints(self.out)
        resume = ["--resume_from_checkpoint", "latest"] if found else []
        flags = ["--save_steps", self.chance.choice([1, 2, 3, 5]), "--save_total_limit", KEPT, *resume]
        return self.bench.words(CASE, self.reference.ranks, self.reference.plan, self.out, *flags), max(
            found, default=0
        )

    def to_the_end(self):
        forced = 0
        wanted = self.chance.randint(1, 3)
        while forced < wanted:
            ended = self.fill() if self.kind in ("disk", "both") else self.kill()
            self.inspect()
            forced += ended
            if not ended:  # it was done before: from the start again
                shutil.rmtree(self.out)
                self.seen = set()
        if self.disk.mounted:
            self.disk.room("64m")
        words, start = self.words()
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
        if done.returncode:
            raise self.Wrong(f"resumed from {start}: exit {done.returncode}, {done.stderr.strip()[-300:]}")
        self.inspect()
        if saving.weights(self.out) != self.reference.weights:
            raise self.Wrong("other bytes of trained weights")
        if saving.steps(self.out) != self.reference.steps:
            raise self.Wrong("other lines of metrics.jsonl")
        if left := list(self.out.rglob("*.tmp*")):
            raise self.Wrong(f"left {left[:3]}")
        return ", ".join(self.ends)

    def start(self, limit=None):
        words, self.began = self.words()

        def small():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        self.log = tempfile.TemporaryFile("w+")
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
            preexec_fn=small if limit else None,
        )

    def kill(self):
        process = self.start()
        delay = self.chance.uniform(0, self.reference.seconds * (1 - self.began / int(LENGTH["max_steps"])))
        until = time.monotonic() + (SECONDS if self.kind in ("writing", "ending") else delay)
        wanted = self.chance.randint(1, 6)  # of the checkpoints that are seen being written
        while process.poll() is None and time.monotonic() < until:
            if self.kind == "ending" and list(self.out.glob("adapter_*")):
                time.sleep(self.chance.uniform(0, 0.01))
                break
            if self.kind == "writing" and (writing := list(self.out.glob("checkpoint-*.tmp"))):
                wanted -= 1
                if wanted <= 0:
                    time.sleep(self.chance.uniform(0, 0.02))
                    break
                while process.poll() is None and writing[0].exists():
                    time.sleep(0.0005)
            time.sleep(0.0005)
        return self.shoot(process)

    def shoot(self, process):
        """Whether it was still running."""
        before = saving.checkpoints(self.out)
        victim = self.chance.choice(["rank", "parent", "all"])
        try:
            children = [
                int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            ]
        except OSError:
            children = []
        try:
            if victim == "rank" and children:
                os.kill(self.chance.choice(children), signal.SIGKILL)
            elif victim == "parent" or not children:
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.seen |= set(before)
        code = process.wait(SECONDS)
        while any(map(runs, children)):  # they go with their parent
            time.sleep(0.002)
        if code not in ((0, 6, -signal.SIGKILL) if self.kind != "both" else (0, 6, 7, -signal.SIGKILL)):
            raise self.Wrong(f"killed: exit {code}, {self.text()}")
        self.ends.append(f"{victim} killed with {max(before, default=0)} saved" if code else "done before")
        return code != 0

    def fill(self):
        """Whether the disk was full, or the run was killed."""
        if self.disk.mounted:
            used = (
                sum(path.stat().st_size for path in self.out.rglob("*") if path.is_file()) if self.out.exists() else 0
            )
            self.disk.room(f"{(used >> 10) + self.chance.randint(40, 700)}k")
            process = self.start()
        elif self.reference.ranks > 1:
            return self.kill()  # a limit on files would be one on the memory that ranks share
        else:
            process = self.start(self.chance.randint(3000, 120000))
        if self.kind == "both" and self.chance.random() < 0.6:
            time.sleep(self.chance.uniform(0, self.reference.seconds))
            return self.shoot(process)
        code = process.wait(SECONDS)
        if code == 0:
            self.ends.append("there was room")
            return False
        text = self.text()
        if code != 7 or "error[ZP6002]" not in text:
            raise self.Wrong(f"full disk: exit {code}, {text}")
        found = saving.checkpoints(self.out)
        if found and f"the latest good checkpoint is {found[max(found)]}" not in text:
            raise self.Wrong(f"full disk: the message doesn't name {found[max(found)]}: {text}")
        if self.out.exists() and list(self.out.glob("checkpoint-*.tmp")):
            raise self.Wrong("full disk: a temporary directory is left")
        self.ends.append(f"disk full with {max(found, default=0)} saved")
        return True

    def text(self):
        self.log.seek(0)
        return self.log.read().strip()[-500:]

    def inspect(self):
        found = saving.checkpoints(self.out)
        for folder in found.values():
            if wrong := saving.damage(folder):
                raise self.Wrong("; ".join(wrong))
        newest = max(found, default=0)
        if newest < max(self.seen, default=0):
            raise self.Wrong(f"checkpoint {max(self.seen)} was complete and is gone; there are {list(found)}")
        # Of what was there, only what the limit lets go may be missing: the oldest.
        if gone := [
            step for step in self.seen if step not in found and len([kept for kept in found if kept > step]) < KEPT
        ]:
            raise self.Wrong(f"checkpoints {gone} are gone; there are {list(found)}")
        self.seen = set(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tools.add_arguments(parser)
    parser.add_argument("--runs", type=int, default=10, help="200 is the full proof")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=KINDS)
    chosen = parser.parse_args()
    tally = tools.Tally()
    with tempfile.TemporaryDirectory(prefix="kill-") as scratch:
        bench = saving.Bench(chosen, chosen.work_dir or Path(scratch))
        references = [Reference(bench, *way) for way in WAYS]
        for number in range(chosen.runs):
            chance = random.Random(f"{chosen.seed} {number}")
            kind = chosen.only or KINDS[number % len(KINDS)]
            reference = references[number // len(KINDS) % len(references)]
            disk = Disk(bench.folder("disk"))
            disk.mounted and disk.room("64m")
            label = f"run {number}, {kind}, {reference.ranks} ranks"
            try:
                run = Run(bench, reference, kind, chance, disk)
                tally.check(label, [], run.to_the_end())
                shutil.rmtree(run.out)
            except (Run.Wrong, StageFailed, subprocess.TimeoutExpired) as problem:
                tally.check(label, [str(problem)])
            finally:
                disk.close()
    sys.exit(tally.close())


if __name__ == "__main__":
    main()

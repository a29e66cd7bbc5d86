"""A small training run on a GPU that is going to be broken: checkpoints while it runs, and what is left of them afterwards."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from card import call

sys.path.append(str(Path(__file__).resolve().parents[1] / "integration"))
from support import pipeline, saving  # noqa: E402: the folder is named above
from support.golden_case import GoldenCase  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
CASE = GoldenCase(ROOT / "tests/golden/cases/llama_gqa_fp32")
SECONDS_TO_START = 60
SECONDS_TO_END = 10  # after what broke it, for every rank


class Training:
    """Of a golden case, without an end of its own; a checkpoint every other update."""

    def __init__(self, bin, ranks, work):
        self.work, self.ranks, self.out = work, ranks, work / "out"
        work.mkdir(parents=True)
        job = pipeline.Job(bin, ranks, 3 if ranks > 1 else 0, import_flags={"max_steps": "1000000"}, compile_flags=["--target", "cuda"])
        words = pipeline.commands(CASE, job, work)
        for tool in ("zpc import", "zpc compile"):
            call(words[tool])
        self.words = [str(word) for word in words["zprun"]] + ["--quiet", "--save_steps", "2", "--save_total_limit", "2"]

    def start(self, *flags, variables=None):
        """A process: zprun, which starts the ranks."""
        self.log = open(self.work / "log", "w+")
        return subprocess.Popen([*self.words, *flags], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env={**os.environ, **(variables or {})})

    def start_ranks(self, variables):
        """A process a rank, as launchers start them: nobody ends one for another."""
        at = self.words.index("-n")
        words = self.words[:at] + self.words[at + 2 :]
        job = {"WORLD_SIZE": str(self.ranks), "LOCAL_WORLD_SIZE": str(self.ranks), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(20000 + os.getpid() % 20000)}
        self.log = open(self.work / "log", "w+")
        return [
            subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env={**os.environ, **job, "RANK": str(rank), "LOCAL_RANK": str(rank), **own})
            for rank, own in enumerate(variables)
        ]

    def text(self):
        self.log.seek(0)
        return self.log.read().strip()

    def newest(self):
        return max(saving.checkpoints(self.out), default=0)

    def wait_for_checkpoint(self, after, process):
        """Whether one came."""
        until = time.monotonic() + SECONDS_TO_START
        while self.newest() <= after and process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        return self.newest() > after

    def inspect(self, row):
        """The last checkpoint is whole, and a run without the fault goes on from it."""
        newest = self.newest()
        damage = [wrong for folder in saving.checkpoints(self.out).values() for wrong in saving.damage(folder)]
        row.hold(not damage, "; ".join(damage))
        process = self.start("--resume_from_checkpoint", "latest")
        went_on = self.wait_for_checkpoint(newest, process)
        process.send_signal(signal.SIGTERM)
        code = end(process, SECONDS_TO_START)
        row.hold(went_on and code == 75, f"resumed from {newest}: exit {code}, {self.text()[-200:]}")
        steps = [json.loads(line)["step"] for line in (self.out / "metrics.jsonl").read_text().splitlines()]
        row.hold(steps == list(range(1, len(steps) + 1)), "metrics.jsonl lacks steps, or has some twice")
        if went_on and not damage:
            row.say(f"checkpoint {newest} whole, resumed to {self.newest()}")


def end(process, seconds):
    """The exit code; None for one that had to be killed."""
    try:
        return process.wait(max(seconds, 0))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None

#!/usr/bin/env python3
"""What training checkpoints hold, when they are made, what is refused, and how a run that is told to stop ends.

    checkpoint_test.py [--bin DIR] [--part contents|strategies|refusals|disk|signals ...]

contents    On 1, 2 and 4 ranks: the adapter of a checkpoint is the masters of its optimizer shards, cut without holes; the
            last one's files are the run's; sums by another library; trainer_state.json tells metrics.jsonl's losses.
strategies  --save_strategy, --save_steps and --save_total_limit leave the reference's folders.
refusals    Damaged, cut, missing and foreign checkpoints: exit 4 (another version, model, data, settings too), one coded
            line that names the file and the latest good checkpoint; nothing is written.
disk        No room for any one file: exit 7, the good one named, nothing half-made under a final name.
signals     SIGTERM to the job or to one rank: a checkpoint and exit 75; SIGINT: 130; a rank lost before all have agreed to
            stop: 6. Resumed, the bytes of a run without a stop.
A line a check; the last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from support import saving, tools
from support.pipeline import StageFailed

CASE = "llama_gqa_fp32"
LINE = re.compile(r"^error\[ZP(\d{4})\] .+;.+$", re.M)
LONG = {"max_steps": "600"}  # long enough to be stopped in


def contents(bench, tally):
    for case, ranks, stage in ((CASE, 1, 0), (CASE, 2, 0), (CASE, 2, 3), (CASE, 4, 3), ("llama_full", 2, 3)):

        def check():
            out = bench.train(case, ranks, stage, "--save_steps", 6)
            found = saving.checkpoints(out)
            failures = [] if list(found) == [6, 12, 18, 20] else [f"checkpoints {list(found)}"]
            for step, folder in found.items():
                failures += saving.damage(folder) + holds(folder, out, step, ranks)
            last = found[max(found)]
            for name in ("adapter_config.json", "adapter_model.safetensors", "config.json", "model.safetensors"):
                if (out / name).is_file() and (out / name).read_bytes() != (last / name).read_bytes():
                    failures.append(f"{last.name}/{name} is not the run's")
            if list(out.glob("*.tmp")):
                failures.append("a temporary directory is left")
            return failures, f"{len(found)} checkpoints"

        tally.guard(f"contents: {case}, {ranks} ranks, stage {stage}", check)


def holds(folder, out, step, ranks):
    failures = []
    shards = list(folder.glob("optimizer-*.safetensors"))
    if len(shards) != ranks:
        failures.append(f"{len(shards)} optimizer files, expected {ranks}")
    state = saving.state_of(folder)
    if set(state) != {"master", "moment1", "moment2"}:
        failures.append(f"kinds {sorted(state)}")
    saved = load_file(next(folder.glob("*model.safetensors")))
    masters = {
        f"base_model.model.{name}" if any("lora" in key for key in saved) else name: values
        for name, values in state["master"].items()
    }
    if set(masters) != set(saved) or any(
        not np.array_equal(masters[name], values.ravel()) for name, values in saved.items()
    ):
        failures.append(f"{folder.name}: the masters are not the weights")
    if step > 1 and not any(np.any(values) for values in state["moment2"].values()):
        failures.append(f"{folder.name}: all moments are zero")
    told = json.loads((folder / "trainer_state.json").read_text())
    losses = tools.losses(out)[:step]
    if (
        [entry["loss"] for entry in told["log_history"]] != losses
        or told["global_step"] != step
        or told["max_steps"] != 20
    ):
        failures.append(f"{folder.name}: trainer_state.json tells another story")
    return failures


def strategies(bench, tally):
    # 12 rows in updates of 4: an epoch is 3 updates of the 20.
    ways = [
        ("by default", [], [20]),
        ("every 8 steps", ["--save_steps", "8"], [8, 16, 20]),
        ("a quarter of the run", ["--save_steps", "0.25"], [5, 10, 15, 20]),
        ("every epoch", ["--save_strategy", "epoch"], [3, 6, 9, 12, 15, 18, 20]),
        ("never", ["--save_strategy", "no", "--save_steps", "2"], []),
        ("the last two", ["--save_steps", "4", "--save_total_limit", "2"], [16, 20]),
        ("the last one", ["--save-steps=3", "--save-total-limit=1"], [20]),
    ]
    for label, flags, expected in ways:

        def check():
            found = list(saving.checkpoints(bench.train(CASE, 2, 3, *flags)))
            return [] if found == expected else [f"checkpoints {found}, expected {expected}"], f"{found}"

        tally.guard(f"strategies: {label}", check)


class Refusal:
    """Runs that have to be refused, on copies of one good run with checkpoints of 5, 10, 15 and 20."""

    def __init__(self, bench, tally):
        self.bench, self.tally = bench, tally
        self.good = bench.train(CASE, 1, 0, "--save_steps", 5)

    def expect(self, label, names, code=4, error=3011, good=15, edit=lambda out: None, asked="latest", flags=(), **how):
        def check():
            out = shutil.copytree(self.good, self.bench.folder("refused"))
            edit(out)
            before = self.listing(out)
            plan = how.pop("plan", None) or self.bench.plan(CASE)
            words = self.bench.words(
                CASE,
                how.pop("ranks", 1),
                plan,
                out,
                "--resume_from_checkpoint",
                str(asked).format(out=out),
                *flags,
                **how,
            )
            text = self.bench.run(words, code).stderr
            failures = []
            lines = LINE.findall(text)
            if lines != [str(error)]:
                failures.append(f"coded lines {lines}, expected {error}")
            beside = (
                f"the latest good checkpoint beside it is {out}/checkpoint-{good}"
                if good
                else "there is no good checkpoint beside it"
            )
            for wanted in (names, beside):
                if wanted is not None and wanted not in text:
                    failures.append(f'expected "{wanted}" in: {text.strip()[-400:]}')
            if self.listing(out) != before:
                failures.append("files were changed")
            return failures, text.strip()[:100]

        self.tally.guard(f"refusals: {label}", check)

    @staticmethod
    def listing(out):
        return {path: path.stat().st_mtime_ns for path in out.rglob("*")}


def flip(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 16
    path.write_bytes(data)


def cut(path, by):
    path.write_bytes(path.read_bytes()[:-by])


def refusals(bench, tally):
    refusal = Refusal(bench, tally)
    for name in (
        "adapter_model.safetensors",
        "optimizer-00001-of-00001.safetensors",
        "trainer_state.json",
        "adapter_config.json",
        "checkpoint.json",
    ):
        place = f"checkpoint-20/{name}: "
        refusal.expect(f"a flipped bit of {name}", place, edit=lambda out: flip(out / "checkpoint-20" / name, 300))
        refusal.expect(f"{name} cut", place, edit=lambda out: cut(out / "checkpoint-20" / name, 2))
        refusal.expect(f"{name} missing", place, edit=lambda out: (out / "checkpoint-20" / name).unlink())

    def two(out):
        flip(out / "checkpoint-20/optimizer-00001-of-00001.safetensors", -1)
        flip(out / "checkpoint-15/trainer_state.json", 7)

    refusal.expect("two that are damaged", "checkpoint-20/optimizer", good=10, edit=two)
    refusal.expect(
        "an earlier one",
        "checkpoint-15/trainer_state.json",
        good=20,
        edit=lambda out: flip(out / "checkpoint-15/trainer_state.json", 7),
        asked="{out}/checkpoint-15/",
    )

    def all_of_them(out):
        for folder in saving.checkpoints(out).values():
            flip(folder / "checkpoint.json", 99)

    refusal.expect("all damaged", "checkpoint-20/checkpoint.json: ", good=None, edit=all_of_them)

    def newer(out):
        path = out / "checkpoint-20/checkpoint.json"
        body = json.loads(path.read_text())
        assert body["xxh64"] == saving.seal(body), "this test knows another seal than the manifest has"
        body["version"] = 2
        path.write_text(json.dumps({**body, "xxh64": saving.seal(body)}))

    refusal.expect("a later format", "checkpoint-20/checkpoint.json: version is 2", error=3015, edit=newer)
    refusal.expect(
        "a directory that is no checkpoint",
        "/plain/checkpoint.json: is missing",
        good=20,
        edit=lambda out: (out / "plain").mkdir(),
        asked="{out}/plain",
    )
    refusal.expect("a directory that isn't there", "/nowhere/checkpoint.json: is missing", good=None, asked="/nowhere")

    def other(label, names, **how):
        refusal.expect(label, f"checkpoint-20/checkpoint.json: {names}", error=3014, good=None, **how)

    other("another learning rate", "learning_rate: is 0.01, expected 0.02", plan=bench.plan(CASE, learning_rate="0.02"))
    other("another schedule", "lr_scheduler_type: is ", plan=bench.plan(CASE, lr_scheduler_type="polynomial"))
    other("another length", "updates in all: is 20, expected 21", plan=bench.plan(CASE, max_steps="21"))
    other(
        "another batch", "rows of an update: is 4, expected 2", plan=bench.plan(CASE, per_device_train_batch_size="2")
    )
    other("16 bits", "bf16: is false, expected true", plan=bench.plan(CASE, bf16=None))
    tokens = load_file(bench.case(CASE).tokens)
    tokens["labels"][1, 5] = -100
    save_file(tokens, bench.work / "tokens.safetensors")
    other("other data", "data set: is", tokens=bench.work / "tokens.safetensors")
    model = shutil.copytree(bench.case(CASE).model, bench.work / "model")
    tensors = load_file(model / "model.safetensors")
    tensors["model.norm.weight"][0] += 1
    save_file(tensors, model / "model.safetensors", metadata={"format": "pt"})
    other("another model", "base model's weights: is", model=model)

    def check():
        empty = bench.folder("empty")
        text = bench.run(bench.words(CASE, 1, bench.plan(CASE), empty, "--resume_from_checkpoint", "latest"), 4).stderr
        return (
            [] if LINE.findall(text) == ["3011"] and "has no checkpoint-N" in text and not empty.exists() else [text]
        ), text.strip()[:100]

    tally.guard("refusals: latest of none", check)


def disk(bench, tally):
    good = bench.train(CASE, 1, 0, "--save_steps", 5)
    sizes = sorted(path.stat().st_size for path in (good / "checkpoint-10").iterdir())
    for room in [size - 1 for size in sizes]:

        def check():
            out = shutil.copytree(good, bench.folder("full"))
            for step in (15, 20):
                shutil.rmtree(out / f"checkpoint-{step}")

            def small():
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

            flags = ["--save_steps", 1, "--resume_from_checkpoint", "latest"]
            text = bench.run(bench.words(CASE, 1, bench.plan(CASE), out, *flags), 7, preexec_fn=small).stderr
            failures = []
            if LINE.findall(text) != ["6002"]:
                failures.append(f"expected one line error[ZP6002]: {text.strip()[-300:]}")
            if f"the latest good checkpoint is {out}/checkpoint-10" not in text:
                failures.append(f"the good one is not named: {text.strip()[-300:]}")
            if list(saving.checkpoints(out)) != [5, 10] or list(out.glob("*.tmp")):
                failures.append(f"left {sorted(path.name for path in out.iterdir())}")
            failures += saving.damage(out / "checkpoint-10")
            bench.run(bench.words(CASE, 1, bench.plan(CASE), out, "--resume_from_checkpoint", "latest"))
            if saving.weights(out) != saving.weights(good) or saving.steps(out) != saving.steps(good):
                failures.append("with room again, it ends otherwise")
            return failures, f"refused, and resumed when there was"

        tally.guard(f"disk: no room for files over {room} bytes", check)


def stop(bench, ranks, stage, code, end, *flags):
    """The folder of a run that was stopped: `end` does it to (job, ranks), in the midst of the updates."""
    out = bench.folder("stopped")
    words = bench.words(CASE, ranks, bench.plan(CASE, ranks, stage, **LONG), out, *(flags or ("--save_strategy", "no")))
    log = bench.folder("log")
    with open(log, "w") as file:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)
    try:
        until = time.monotonic() + 30
        while not (out / "metrics.jsonl").exists() or (out / "metrics.jsonl").read_text().count("\n") < 40:
            if process.poll() is not None or time.monotonic() > until:
                raise StageFailed("zprun", process.poll(), log.read_text())
            time.sleep(0.002)
        children = [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
        end(process.pid, children or [process.pid])
        ended = process.wait(20)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if ended != code:
        raise StageFailed("zprun", ended, f"expected exit {code}: {log.read_text()}")
    return out


def signals(bench, tally):
    for ranks, stage in ((1, 0), (2, 3)):
        whole = bench.train(CASE, ranks, stage, "--save_strategy", "no", import_flags=LONG)
        ways = [
            ("SIGTERM to the job", 75, lambda job, all_ranks: os.kill(job, signal.SIGTERM)),
            ("SIGTERM to one rank", 75, lambda job, all_ranks: os.kill(all_ranks[-1], signal.SIGTERM)),
            ("SIGINT to all", 130, lambda job, all_ranks: [os.kill(rank, signal.SIGINT) for rank in all_ranks]),
        ]
        for label, code, end in ways:

            def check():
                out = stop(bench, ranks, stage, code, end)
                found = saving.checkpoints(out)
                lines = len(saving.steps(out))
                failures = [] if list(found) == [lines] else [f"checkpoints {list(found)} after {lines} steps"]
                failures += [wrong for folder in found.values() for wrong in saving.damage(folder)]
                if saving.weights(out) != saving.weights(next(iter(found.values()))):
                    failures.append("the weights beside it are others")
                bench.train(
                    CASE,
                    ranks,
                    stage,
                    "--save_strategy",
                    "no",
                    "--resume_from_checkpoint",
                    "latest",
                    out=out,
                    import_flags=LONG,
                )
                if saving.weights(out) != saving.weights(whole) or saving.steps(out) != saving.steps(whole):
                    failures.append("resumed, it ends otherwise")
                return failures, f"stopped after {lines} updates, resumed to the same bytes"

            tally.guard(f"signals: {label}, {ranks} ranks", check)
    lost_meanwhile(bench, tally, whole)


def lost_meanwhile(bench, tally, whole):
    """SIGTERM while a rank hangs, which then is lost: nothing was agreed on, so there is no checkpoint of this stop, and no 75."""

    def end(job, ranks):
        os.kill(ranks[-1], signal.SIGSTOP)  # no update ends any more
        os.kill(job, signal.SIGTERM)
        time.sleep(0.2)
        os.kill(ranks[-1], signal.SIGKILL)

    def check():
        out = stop(bench, 2, 3, 6, end, "--save_steps", "10")
        found = saving.checkpoints(out)
        failures = [wrong for folder in found.values() for wrong in saving.damage(folder)]
        if not found or any(step % 10 for step in found):
            failures.append(f"checkpoints {list(found)}, expected those of every tenth update")
        if list(out.glob("adapter_model*")):
            failures.append("an adapter was written")
        if not failures:
            bench.train(CASE, 2, 3, "--save_strategy", "no", "--resume_from_checkpoint", "latest", out=out, import_flags=LONG)
            if saving.weights(out) != saving.weights(whole) or saving.steps(out) != saving.steps(whole):
                failures.append("resumed, it ends otherwise")
        return failures, f"exit 6, resumed from update {max(found, default=0)} to the same bytes"

    tally.guard("signals: SIGTERM, and a rank lost meanwhile", check)


if __name__ == "__main__":
    sys.exit(tools.run_parts(__doc__, "checkpoints", saving.Bench, (contents, strategies, refusals, disk, signals)))

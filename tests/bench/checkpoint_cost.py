#!/usr/bin/env python3
"""What a training checkpoint costs the updates that it is written beside: all parameters of a Llama are trained, saving every
few updates, and updates beside a checkpoint are compared with those of the same run that had none beside them.

    checkpoint_cost.py --work_dir DIR [--config samples/configs/llama-110m/config.json] [--rows 1] [--length 512]
                       [--save_steps 6] [--checkpoints 4] [--ranks 1] [--bf16] [--dtype float32]

--work_dir takes the model, the plan and the run, on the disk that is to be measured (no tmpfs); the next call finds the
model there. A checkpoint is beside an update from the update after the one it is of to that in which it gets its name, which is seen
by looking every few milliseconds. Its cost is what those updates took beyond the median of the undisturbed ones, and the copy
of the state that the next update waited for; the share is of the undisturbed time of the same updates, the median over the
checkpoints. The first update and the checkpoint at the end, which stops no update, don't count.

Where the machine is a guest, its disk may be worked by the host on the guest's own cores: that time is `steal` in /proc/stat. What
more of it there was than beside undisturbed updates, spread over the cores, is told apart; a checkpoint of fewer bytes is all that helps.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

ROOT = Path(__file__).resolve().parents[2]


def call(*words):
    words = [str(word) for word in words]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(words[:2])}: exit {done.returncode}: {(done.stderr or done.stdout)[-500:]}")


def write_tokens(path, rows, length, vocabulary):
    ids = np.random.default_rng(0).integers(0, vocabulary, (rows, length)).astype(np.int32)
    positions = np.tile(np.arange(length, dtype=np.int32), (rows, 1))
    save_file({"input_ids": ids, "labels": ids, "position_ids": positions, "segment_ids": np.zeros_like(ids)}, path)


def prepare(chosen):
    """The words of a run, but for where it writes."""
    work, model = chosen.work_dir, chosen.work_dir / "model"
    if not (model / "model.safetensors").exists():
        call(sys.executable, ROOT / "samples/base-model/make_model.py", chosen.config, "--dtype", chosen.dtype, "-o", model)
    config = json.loads(chosen.config.read_text())
    write_tokens(work / "tokens.safetensors", 16, chosen.length, config["vocab_size"])
    updates = chosen.save_steps * (chosen.checkpoints + 1)
    flags = ["--use_peft_lora", "false", "--num_processes", chosen.ranks, "--zero_stage", 3 if chosen.ranks > 1 else 0]
    flags += ["--per_device_train_batch_size", chosen.rows, "--max_length", chosen.length, "--max_steps", updates]
    flags += ["--bf16"] if chosen.bf16 else []
    call(chosen.bin / "zpc", "import", "--model", model, *flags, "--learning_rate", "1e-4", "-o", work / "model.mlir")
    call(chosen.bin / "zpc", "compile", work / "model.mlir", "-o", work / "plan.fb")
    words = [chosen.bin / "zprun", work / "plan.fb", "--model", model, "--dataset", work / "tokens.safetensors"]
    words += ["-n", chosen.ranks, "--save_steps", chosen.save_steps, "--save_total_limit", 1, "--quiet"]
    return [str(word) for word in words]


def lines(out):
    path = out / "metrics.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def stolen():
    """Seconds of all cores that the host of this guest has taken so far."""
    with open("/proc/stat") as file:
        return int(file.readline().split()[8]) / os.sysconf("SC_CLK_TCK")


def watch(out, ended, named, taken):
    """Puts into `named` how many updates were done when each checkpoint got its name, into `taken` what had been stolen when as many
    updates as its places were done."""
    while not ended.is_set():
        done = lines(out)
        taken += [stolen()] * (done + 1 - len(taken))
        for path in out.glob("checkpoint-*"):
            if path.suffix != ".tmp" and path.name[11:].isdigit():
                named.setdefault(int(path.name[11:]), done)
        time.sleep(0.02)


def measure(words, out):
    """(seconds of each update, seconds stolen in each, {step of a checkpoint: updates done when it got its name}, summary)."""
    shutil.rmtree(out, ignore_errors=True)  # another call's updates and checkpoints would be taken for this one's
    ended, named, taken = threading.Event(), {}, []
    watcher = threading.Thread(target=watch, args=(out, ended, named, taken))
    watcher.start()
    try:
        call(*words, "--output_dir", out)
    finally:
        ended.set()
        watcher.join()
    seconds = [json.loads(line)["step_seconds"] for line in (out / "metrics.jsonl").read_text().splitlines()]
    taken += [stolen()] * (len(seconds) + 1 - len(taken))
    return seconds, [b - a for a, b in zip(taken, taken[1:])], named, json.loads((out / "summary.json").read_text())


def report(seconds, taken, named, summary, save_steps):
    updates = len(seconds)
    named = {step: last for step, last in sorted(named.items()) if step < updates}
    beside = {step: range(step, min(last + 1, updates)) for step, last in named.items()}  # places in `seconds`
    disturbed = {place for places in beside.values() for place in places}
    usual = [value for place, value in enumerate(seconds) if place > 0 and place not in disturbed]
    if not beside or not usual:
        sys.exit(f"{len(beside)} checkpoints and {len(usual)} undisturbed updates, expected some of both; raise --save_steps")
    if late := [step for step, places in beside.items() if len(places) >= save_steps]:
        sys.exit(f"checkpoint-{late[0]} was not done before the next, which waited for it; raise --save_steps")
    quiet, copy = statistics.median(usual), summary["checkpoint_copy_seconds"] / len(beside)
    quietly_taken = statistics.median(value for place, value in enumerate(taken) if place > 0 and place not in disturbed)
    shares, own = [], []
    for step, places in beside.items():
        extra = sum(seconds[place] - quiet for place in places)
        by_host = sum(taken[place] - quietly_taken for place in places) / os.cpu_count()
        shares.append((copy + extra) / (quiet * len(places)))
        own.append(shares[-1] - by_host / (quiet * len(places)))
        print(f"checkpoint-{step}: beside {len(places)} updates, {extra:+.3f} s, {shares[-1]:+.1%} with the copy; "
              f"the host took {by_host:.3f} s of each core")
    print(f"undisturbed update: median {quiet:.3f} s of {len(usual)}, {min(usual):.3f} to {max(usual):.3f}; copy {copy:.3f} s")
    print(f"cost of a checkpoint: median {statistics.median(shares):.1%} of the updates beside it, "
          f"{min(shares):.1%} to {max(shares):.1%}; {summary['snapshot_bytes'] / 1e9:.2f} GB copied a rank")
    print(f"without what the host took: median {statistics.median(own):.1%}, {min(own):.1%} to {max(own):.1%}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "build/bin", help="folder of zpc and zprun")
    parser.add_argument("--work_dir", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=ROOT / "samples/configs/llama-110m/config.json")
    parser.add_argument("--rows", type=int, default=1)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32", help="of the model's weights, before and after")
    parser.add_argument("--save_steps", type=int, default=6)
    parser.add_argument("--checkpoints", type=int, default=4, help="that are written beside updates")
    chosen = parser.parse_args()
    chosen.work_dir.mkdir(parents=True, exist_ok=True)
    words = prepare(chosen)
    report(*measure(words, chosen.work_dir / "out"), chosen.save_steps)


if __name__ == "__main__":
    main()

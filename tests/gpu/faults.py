#!/usr/bin/env python3
"""What a GPU can do to a run, and what is said of it: a row of tests/gpu/run.sh.

    faults.py --bin DIR FAULT [-- FLAGS OF zpc import]

    no-driver      no GPU may be seen (CUDA_VISIBLE_DEVICES is empty), and no driver can be loaded: exit 2
    old-driver     a driver older than the runtime needs (tests/support/failing_cuda_driver): exit 2
    small-gpu      a plan that needs more than the card has: exit 3
    held-memory    another process holds the card's memory but for 2 GiB: exit 3
    trap, ecc      a kernel that traps, and a launch refused for an uncorrectable memory error, amid training: exit 1
Each with one coded line. What was training ends within 10 s, its last checkpoint is whole and can be resumed from.
The plans of small-gpu and held-memory are made with FLAGS, which ask for more than 2 GiB and less than the card.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from card import make_plan, run_row, smi
from training import SECONDS_TO_END, Training, end

HELD_BUT = 2 << 30  # bytes
SECONDS = 60  # to refuse: nothing is loaded before


def expect(row, what, process, text, code, words, seconds):
    """Ended in time, with the exit code, with one coded line that has the words."""
    ended = end(process, seconds)
    said = text()
    coded = re.findall(r"error\[ZP\d{4}\] .*", said)
    row.hold(ended == code, f"{what}: {'still running' if ended is None else f'exit {ended}'}, expected {code}: {said[-200:]}")
    row.hold(len(coded) == 1, f"{what}: {len(coded)} coded lines, expected one")
    row.hold(not coded or words in coded[0], f'{what}: expected "{words}" in {coded[:1]}')
    if ended == code and len(coded) == 1:
        row.say(f"{what}: exit {code}, {re.match(r'error.(ZP....)', coded[0])[1]}")


def refused(row, what, words, code, says, variables):
    """A run that ends before it begins."""
    process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace", env={**os.environ, **variables})
    expect(row, what, process, lambda: process.stdout.read(), code, says, SECONDS)


def no_driver(chosen, row, work):
    bench = [chosen.bin / "zprun", "bench", plan_of(chosen, work)]
    refused(row, "no GPU to be seen", bench, 2, "no usable GPU", {"CUDA_VISIBLE_DEVICES": ""})
    (work / "libcuda.so.1").write_text("no library, found before any other\n")
    path = f"{work}:{os.environ.get('LD_LIBRARY_PATH', '')}"
    refused(row, "no driver to be loaded", bench, 2, "no usable GPU", {"LD_LIBRARY_PATH": path})


def old_driver(chosen, row, work):
    refused(row, "a driver of CUDA 12.2", [chosen.bin / "zprun", "bench", plan_of(chosen, work)], 2, "no usable GPU", fault(chosen, "old", work))


def small_gpu(chosen, row, work):
    total = int(smi("memory.total")) << 20
    batch, needed = 64, 0
    while needed <= total:
        needed = make_plan(chosen.bin, work / "large.fb", [*chosen.flags, "--per_device_train_batch_size", batch])
        batch *= 4
    row.say(f"{needed / 1e9:.0f} of {total / 1e9:.0f} GB")
    refused(row, "a plan for a larger GPU", [chosen.bin / "zprun", "bench", work / "large.fb"], 3, "cuda: the plan needs", {})


def held_memory(chosen, row, work):
    """The holder is a process of its own, which says how much it has."""
    plan = plan_of(chosen, work)
    holder = subprocess.Popen([sys.executable, Path(__file__).resolve().parent / "hold_memory.py", str(HELD_BUT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        held = holder.stdout.readline().strip()
        row.hold(held.isdigit(), f"nothing is held: {held}")
        if held.isdigit():
            row.say(f"{int(held) / 1e9:.0f} GB held")
            refused(row, "memory that another process holds", [chosen.bin / "zprun", "bench", plan], 3, "cuda: the plan needs", {})
    finally:
        holder.stdin.close()
        holder.wait()


def broken_training(chosen, row, work):
    run = Training(chosen.bin, 1, work / chosen.fault)
    process = run.start(variables=fault(chosen, chosen.fault, work))
    if not run.wait_for_checkpoint(2, process):
        process.kill()
        return row.hold(False, f"no checkpoint: {run.text()[-200:]}")
    (work / "when").touch()
    began = time.monotonic()
    expect(row, {"trap": "a kernel that traps", "ecc": "an uncorrectable memory error"}[chosen.fault], process, run.text, 1, "cuda: ", SECONDS_TO_END)
    row.say(f"down after {time.monotonic() - began:.1f} s")
    run.inspect(row)


def plan_of(chosen, work):
    make_plan(chosen.bin, work / "plan.fb", chosen.flags)
    return work / "plan.fb"


def fault(chosen, kind, work):
    """Variables under which the driver fails."""
    library = chosen.bin.parent / "tests/bin/libfailing_cuda_driver.so"
    return {"LD_PRELOAD": str(library.resolve(strict=True)), "ZP_DRIVER_FAULT": kind, "ZP_DRIVER_FAULT_WHEN": str(work / "when")}


FAULTS = {"no-driver": no_driver, "old-driver": old_driver, "small-gpu": small_gpu, "held-memory": held_memory, "trap": broken_training, "ecc": broken_training}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("fault", choices=FAULTS)
    parser.add_argument("flags", nargs="*", help="of zpc import")
    chosen = parser.parse_args()
    chosen.bin = chosen.bin.resolve()
    with tempfile.TemporaryDirectory(prefix="faults-") as scratch:
        run_row(lambda row: FAULTS[chosen.fault](chosen, row, Path(scratch)))


if __name__ == "__main__":
    main()

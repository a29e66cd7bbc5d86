#!/usr/bin/env python3
"""Two ranks that share the GPU, one of which is lost in a collective: a row of tests/gpu/run.sh.

    lost_peer.py --bin DIR HOW

    killed         zprun -n 2, a rank is killed: exit 6
    killed-apart   ranks that were started one by one, rank 1 is killed: rank 0's exit is 6
    trap           the same, a kernel of rank 1 traps: rank 1's exit is 1, rank 0's 6
All ranks are down within 10 s; the last checkpoint is whole and can be resumed from. Ranks meet in host memory
(ZP_DEVICE_COLLECTIVES=staged): NCCL takes no two ranks on one GPU.
"""

import argparse
import os
import signal
import tempfile
import time
from pathlib import Path

from card import run_row
from faults import fault
from training import SECONDS_TO_END, Training, end


def state(pid):
    """A process's state and parent, None of one that has gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return fields[0], int(fields[1])


def children(pid):
    """In the order that they were started; of every process's parent: not all kernels keep a list of children."""
    processes = sorted(int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit())
    return [process for process in processes if (found := state(process)) and found[1] == pid]


def lives(pid):
    found = state(pid)
    return found is not None and found[0] != "Z"


def killed(run, row, began):
    process = run.start()
    if not run.wait_for_checkpoint(2, process):
        process.kill()
        return row.hold(False, f"no checkpoint: {run.text()[-200:]}")
    ranks = children(process.pid)
    row.hold(len(ranks) == 2, f"{len(ranks)} ranks, expected 2")
    began()
    os.kill(ranks[-1], signal.SIGKILL)
    code = end(process, SECONDS_TO_END)
    row.hold(code == 6, f"exit {code}, expected 6: {run.text()[-200:]}")
    row.hold(not any(map(lives, ranks)), "a rank is left")


def apart(run, row, began, break_rank, expected, variables=None):
    ranks = run.start_ranks([{}, variables or {}])
    try:
        if not run.wait_for_checkpoint(2, ranks[0]):
            return row.hold(False, f"no checkpoint: {run.text()[-200:]}")
        until = began() + SECONDS_TO_END
        break_rank(ranks[1])
        codes = [end(rank, until - time.monotonic()) for rank in ranks]
        row.hold(codes == expected, f"exits {codes}, expected {expected}: {run.text()[-200:]}")
    finally:
        for rank in ranks:
            rank.kill()
            rank.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("how", choices=("killed", "killed-apart", "trap"))
    chosen = parser.parse_args()
    chosen.bin = chosen.bin.resolve()
    os.environ["ZP_DEVICE_COLLECTIVES"] = "staged"

    def work(row):
        run, start = Training(chosen.bin, 2, scratch / "run"), []

        def began():
            start.append(time.monotonic())
            return start[0]

        if chosen.how == "killed":
            killed(run, row, began)
        elif chosen.how == "killed-apart":
            apart(run, row, began, lambda rank: rank.kill(), [6, -signal.SIGKILL])
        else:
            apart(run, row, began, lambda _: (scratch / "when").touch(), [6, 1], fault(chosen, "trap", scratch))
        if start:
            row.say(f"all down after {time.monotonic() - start[0]:.1f} s")
            run.inspect(row)

    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        scratch = Path(folder)
        run_row(work)


if __name__ == "__main__":
    main()

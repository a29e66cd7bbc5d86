#!/usr/bin/env python3
"""Golden cases over what may be offloaded, recomputation, ZeRO stages and ranks: the loss must not depend on any of them.

    offload_test.py [--bin DIR] [--all] [--shadow] [--table FILE]

A line a cell: the gap to one rank with ZeRO-0 and nothing offloaded (at most 1e-6 relative), the bytes that rank 0 gathered and
reduced, and the bytes that the plan keeps on the device, in host memory and on disk. A cell that offloads must keep fewer bytes
on the device than its neighbour that does not, and some where it says. What is recomputed must save bytes: selective and block
keep fewer than none, block no more than selective; auto, given half of what lies between none and block, stays within. --all:
every stage, on 1, 2 and 4 ranks. --shadow: each cell runs once more with every buffer in a guarded mapping of its own, and must
write the same weights and print the same losses, bit for bit. --table writes the figures as tab-separated values, too. The last line is 'N passed, N failed'.
Exit 1 when any failed.
"""

import argparse
import dataclasses
import itertools
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from support import pipeline
from support.golden_case import find_cases
from support.tools import Tally, losses

ROOT = Path(__file__).resolve().parents[2]
CASES = ["llama_gqa_fp32", "llama_qlora_nested", "llama_full", "bart_all_linear", "t5_full"]
FAMILIES = ["bloom_norms", "falcon_groups", "mt5_all_linear"]  # without --all: not recomputed, offloaded to host memory alone
OFFLOAD = ["param", "optimizer", "activation"]
RECOMPUTED = ["none", "selective", "block", "auto"]  # auto's budget comes of the others
TOLERANCE = 1e-6
RESERVE = 209715200  # of a CPU's process, counted against a budget (runtime/schema/targets.inc)


def what_was_trained(out):
    """Losses, and the bytes of the weights that a run wrote."""
    return losses(out), {file.name: file.read_bytes() for file in sorted(out.glob("*.safetensors"))}


def difference(case, job, out, again, flags):
    """Runs the cell's plan once more with other flags of zprun; what differs, or an empty text."""
    other = pipeline.run(case, dataclasses.replace(job, run_flags=[*job.run_flags, *flags]), again)
    first, second = what_was_trained(out), what_was_trained(other)
    if not first[1]:
        return "the run wrote no weights, expected some to compare"
    return "" if first == second else f"with {' '.join(flags)} losses or weights differ, expected the same bytes"


def run_cell(case, tools, ranks, stage, device, remat, budget, shadow, work):
    """(losses, summary, {tier: bytes}, what differs with guarded buffers, or moved)"""
    disk = work / "disk"
    disk.mkdir(parents=True)
    flags = {"rematerialize": remat, "nvme_path": str(disk), **{f"offload_{what}_device": device for what in OFFLOAD}}
    job = pipeline.Job(bin=tools, ranks=ranks, zero_stage=stage, import_flags=flags)
    if budget:
        job.compile_flags = ["--memory_budget", str(RESERVE + budget)]
    out = pipeline.run(case, job, work / "run")
    plan = next((work / "run").rglob("plan.fb"))
    explained = subprocess.run([str(tools / "zpc"), "explain", str(plan), "--memory", "--json"], capture_output=True, text=True, check=True)
    spaces = {name: space["peak_bytes"] for name, space in json.loads(explained.stdout)["spaces"].items()}
    different = difference(case, job, out, work / "shadow", ["--shadow"]) if shadow else ""
    if not different and device == "cpu":  # this host's memory, where weights are read unless they are to be fetched
        different = difference(case, job, out, work / "moved", ["--read_in_place", "false"])
    return losses(out), json.loads((out / "summary.json").read_text()), spaces, different


def check(row, reference, plain, others, budget):
    """What is wrong with a cell. `plain` is the same cell without offload, `others` have less recomputation."""
    failures = []
    if len(row["losses"]) != len(reference):
        failures.append(f"{len(row['losses'])} losses, expected {len(reference)}")
    elif row["gap"] > TOLERANCE:
        failures.append(f"loss {row['gap']:.1e} away, expected at most {TOLERANCE:.0e}")
    tier = {"cpu": "host", "nvme": "nvme"}.get(row["offload"])
    if tier and not row[tier] > 0:
        failures.append(f"nothing in {tier}, expected what is offloaded there")
    if tier and not row["device"] < plain["device"]:
        failures.append(f"{row['device']} bytes on the device, expected fewer than the {plain['device']} without offload")
    if row["ranks"] > 1 and not row["reduced"] > 0:
        failures.append("nothing was reduced over the ranks")
    if row["ranks"] > 1 and row["stage"] == 3 and not row["gathered"] > 0:
        failures.append("nothing was gathered under ZeRO-3")
    if row["remat"] in ("selective", "block") and row["offload"] == "none" and others:
        if not row["device"] < others[0]["device"] or row["device"] > others[-1]["device"]:
            failures.append(f"{row['device']} bytes on the device, expected fewer than the {others[0]['device']} of {others[0]['remat']} and no "
                            f"more than the {others[-1]['device']} of {others[-1]['remat']}")
    if budget and row["device"] > budget:
        failures.append(f"{row['device']} bytes on the device, expected at most the budget of {budget}")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "build/bin")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--shadow", action="store_true")
    parser.add_argument("--table", type=Path)
    arguments = parser.parse_args()
    cells = list(itertools.product([1, 2, 4], [0, 1, 2, 3])) if arguments.all else [(1, 0), (2, 3)]
    rows, tally = [], Tally()
    for case in find_cases(ROOT / "tests/golden/cases", CASES + FAMILIES):
        whole = arguments.all or case.name in CASES
        reference = None
        for ranks, stage in cells:
            # cells by place, with less and less kept
            less = {"none": [], "cpu": [], "nvme": []} if whole else {"none": [], "cpu": []}
            for remat, device in itertools.product(RECOMPUTED if whole else ["none"], less):
                if device == "none":
                    plain = None
                known = [row["device"] for row in less[device]]
                budget = (max(known) + min(known)) // 2 if remat == "auto" and known else 0
                label = f"{case.name} ranks {ranks} zero {stage} remat {remat} offload {device}"
                with tempfile.TemporaryDirectory(prefix="offload-") as work:
                    try:
                        these, summary, spaces, different = run_cell(case, arguments.bin, ranks, stage, device, remat, budget,
                                                                             arguments.shadow, Path(work))
                    except pipeline.StageFailed as problem:
                        tally.check(label, [str(problem)])
                        continue
                reference = reference or these
                row = {
                    "case": case.name, "ranks": ranks, "stage": stage, "remat": remat, "offload": device, "losses": these,
                    "gap": max(abs(a - b) / abs(b) for a, b in zip(these, reference)),
                    "gathered": summary["gathered_bytes"], "reduced": summary["reduced_bytes"],
                    "device": spaces["device"], "host": spaces["host"], "nvme": spaces["nvme"],
                }
                plain = plain or row
                failures = check(row, reference, plain, less[device], budget) + ([different] if different else [])
                less[device].append(row)
                rows.append(row)
                note = (f"loss {row['gap']:.1e}, gathered {row['gathered']}, reduced {row['reduced']}, "
                        f"device {row['device']}, host {row['host']}, nvme {row['nvme']}")
                tally.check(label, failures, note)
    if arguments.table:
        columns = [c for c in rows[0] if c != "losses"] if rows else []
        lines = ["\t".join(columns)] + ["\t".join(str(row[c]) for c in columns) for row in rows]
        arguments.table.write_text("\n".join(lines) + "\n")
    return tally.close()


if __name__ == "__main__":
    sys.exit(main())

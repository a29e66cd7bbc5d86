#!/usr/bin/env python3
"""Runs the golden cases of tests/golden/cases through zpc and zprun and holds them to the reference's numbers.

    golden_test.py                                 every case on 1 rank with ZeRO-0 and on 2 with ZeRO-3
    golden_test.py --case llama_full --ranks 4 --zero_stage 3 --extra_run_flags=--shadow
    golden_test.py --feature_off                   the switched-off variants: each must fail its comparison
    golden_test.py --launcher 'mpirun -n {ranks}'  ranks started by a launcher instead of by zprun -n
    golden_test.py --extra_compile_flags='--target cuda' --zprun zprun_emulated    the CUDA target, on an emulated GPU

A line a case and cell with the worst figures; the last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from support import compare, pipeline
from support.golden_case import GoldenCase, find_cases, parse_flags
from support.tools import Tally
from support.variants import write_variant

ROOT = Path(__file__).resolve().parents[2]
CELLS = [(1, 0), (2, 3)]


def run_case(case, job, work):
    """(passed, text)"""
    try:
        failures, figures = compare.compare(case, pipeline.run(case, job, work))
    except (pipeline.StageFailed, compare.Mismatch) as problem:
        return False, str(problem)
    return not failures, "; ".join(failures) if failures else ", ".join(figures.values())


def run_variant(case, variant, job, work):
    """A variant passes when its losses leave the reference's by more than the tolerance, or when the tools refuse it and
    that is what should happen. A crash or a missing output never passes."""
    expect = variant.get("expect", "differs")
    altered = GoldenCase(write_variant(case.folder, variant, work / "case"))
    try:
        gap = compare.loss_gap(altered, pipeline.run(altered, job, work))
    except pipeline.StageFailed as problem:
        return "refused" in expect and problem.refused, str(problem)
    except compare.Mismatch as problem:
        return False, str(problem)
    if gap <= altered.tolerance["loss"]:
        return False, f"the run still agrees with the reference: loss {gap:.1e}"
    return "differs" in expect, f"loss {gap:.1e} away"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "build/bin", help="folder of zpc and zprun")
    parser.add_argument("--cases", type=Path, default=ROOT / "tests/golden/cases")
    parser.add_argument("--case", action="append", default=[], help="only this case (may be repeated)")
    parser.add_argument("--ranks", type=int)
    parser.add_argument("--zero_stage", type=int)
    parser.add_argument("--feature_off", action="store_true")
    parser.add_argument("--extra_import_flags", type=shlex.split, default=[], metavar="FLAGS")
    parser.add_argument(
        "--extra_run_flags", type=shlex.split, default=[], metavar="FLAGS", help="e.g. --extra_run_flags=--shadow"
    )
    parser.add_argument("--extra_compile_flags", type=shlex.split, default=[], metavar="FLAGS")
    parser.add_argument("--zprun", default="zprun", help="the program of --bin that runs plans")
    parser.add_argument("--decoders_only", action="store_true", help="leaves out models whose rows have two lengths")
    parser.add_argument("--launcher", default="", help="command before zprun; {ranks} is their number")
    parser.add_argument("--timeout", type=float, default=120, help="seconds a tool may take")
    parser.add_argument("--work_dir", type=Path, help="keeps every run's files here")
    return parser.parse_args()


def run_all(chosen, cells, work, tally):
    """A check a result."""
    for case in find_cases(chosen.cases, chosen.case):
        if chosen.decoders_only and "max_source_length" in case.import_flags:
            continue
        for ranks, stage in cells:
            job = pipeline.Job(
                chosen.bin,
                ranks,
                stage,
                chosen.launcher,
                parse_flags(chosen.extra_import_flags),
                chosen.extra_run_flags,
                chosen.timeout,
                chosen.extra_compile_flags,
                chosen.zprun,
            )
            cell = f"{case.name} ranks {ranks} zero {stage}"
            place = work / cell.replace(" ", "-")
            shutil.rmtree(place, ignore_errors=True)
            if chosen.feature_off:
                results = (
                    (f"{cell} {variant['name']}", run_variant(case, variant, job, place / variant["name"]))
                    for variant in case.feature_off
                )
            else:
                results = [(cell, run_case(case, job, place))]
            for label, (good, text) in results:
                tally.check(label, [] if good else [text], text)


def main():
    chosen = parse_arguments()
    if chosen.ranks is None and chosen.zero_stage is None:
        cells = CELLS[:1] if chosen.feature_off else CELLS
    else:
        cells = [(chosen.ranks or 1, 3 if chosen.zero_stage is None else chosen.zero_stage)]
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="golden-") as scratch:
        run_all(chosen, cells, chosen.work_dir or Path(scratch), tally)
    if not tally.passed + tally.failed:
        sys.exit(f"{chosen.cases}: no cases")
    sys.exit(tally.close())


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Another promise of a run that a row has timed: a row of tests/gpu/run.sh.

    figure.py startup FILE      from the program's start to the end of its first update, besides reading weights: less than 10 s on an H200
    figure.py growth FILE       the device's memory while the timed updates ran: none taken
"""

import argparse
import json
from pathlib import Path

from card import is_h200, run_row

STARTUP = 10  # seconds


def startup(row, report):
    seconds = report["startup_seconds"] + report["first_step_seconds"]
    row.say(f"{seconds:.1f} s ({report['startup_seconds']:.1f} before the first update, {report['first_step_seconds']:.1f} in it); weights {report['init_seconds']:.1f} s besides")
    row.hold(seconds < STARTUP or not is_h200(), f"not below {STARTUP} s")


def growth(row, report):
    row.say(f"{report['steps']} updates after {report['warm_up']}, memory looked at {report['looks']} times in all")
    if report["grown_bytes"] is None:
        row.hold(False, "too short a run: it was not looked at twice meanwhile")
    else:
        row.hold(report["grown_bytes"] <= 0, f"{report['grown_bytes']} bytes taken meanwhile")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("startup", "growth"))
    parser.add_argument("figures", type=Path, help="what speed.py kept")
    chosen = parser.parse_args()

    def work(row):
        if not chosen.figures.exists():
            row.hold(False, f"no figures: the row of {chosen.figures.stem} left none")
            return
        (startup if chosen.what == "startup" else growth)(row, json.loads(chosen.figures.read_text()))

    run_row(work)


if __name__ == "__main__":
    main()

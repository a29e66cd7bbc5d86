#!/usr/bin/env python3
"""Times a plan on a GPU and holds it to bars: a row of tests/gpu/run.sh.

    speed.py --bin DIR --plan FILE --keep FILE [bars] -- FLAGS OF zpc import

Imports, compiles for cuda, runs `zprun bench`. The last line has tokens a second, the share of the measured matmul peak (of the FLOPs
that the mathematics needs: what is recomputed counts for nothing) and the device's memory. Exit 1 when
- the loss isn't finite;
- the memory that the device gave meanwhile is more than the plan's peak and the reserve of a process, or than a bar;
- tokens a second are below a bar: of an H200, for the figure itself; on any GPU, for its ratio to that of another row.
`--keep` is written before bars are held: other rows are about the same run (figure.py).
"""

import argparse
import json
import math
import time
from pathlib import Path

from card import RESERVE, Watch, call, is_h200, make_plan, run_row


def measure(chosen):
    """zprun's report with what was seen from outside."""
    planned = make_plan(chosen.bin, chosen.plan, chosen.flags)
    watch = Watch()
    words = [chosen.bin / "zprun", "bench", chosen.plan, "--warm_up", chosen.warm_up, "--steps", chosen.steps]
    try:
        report = json.loads(call(words))
        end = time.monotonic()
    finally:
        watch.close()
    # The timed updates are the last that a run does: whoever looks this long before its end sees one of them, or the last of the warm-up.
    grown = watch.grown(end - chosen.steps * report["step_seconds"], end)
    report.update(planned_bytes=planned, taken_bytes=watch.taken(), grown_bytes=grown, looks=len(watch.samples), warm_up=chosen.warm_up)
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--plan", type=Path, required=True, help="where the plan is written")
    parser.add_argument("--keep", type=Path, required=True, help="file for the figures")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--warm_up", type=int, default=3)
    parser.add_argument("--rates", type=Path, help="what cuda_rates said: the matmul peak")
    parser.add_argument("--h200_at_least", type=float, help="tokens a second, where the GPU is an H200")
    parser.add_argument("--device_at_most", type=float, help="bytes of the device that the process may take in all")
    parser.add_argument("--of", type=Path, help="figures of another row")
    parser.add_argument("--ratio_at_least", type=float, help="of tokens a second to those in --of")
    parser.add_argument("flags", nargs="+", help="of zpc import")
    chosen = parser.parse_args()

    def work(row):
        report = measure(chosen)
        if chosen.rates and chosen.rates.exists():
            peak = json.loads(chosen.rates.read_text())["matmul_flops_per_second"]
            report["share_of_peak"] = report["flops_per_step"] / report["step_seconds"] / peak
        chosen.keep.write_text(json.dumps(report))
        rate, taken, planned = report["tokens_per_second"], report["taken_bytes"], report["planned_bytes"]
        row.say(f"{rate:.0f} tokens/s")
        if "share_of_peak" in report:
            row.say(f"{report['share_of_peak']:.3f} of the matmul peak")
        row.say(f"device {taken / 1e9:.2f} GB of {planned / 1e9:.2f} planned")
        row.say(f"attention {report['attention']}")
        row.hold(report["loss"] is not None, "the loss is not a number")  # which JSON writes as null
        row.hold(taken <= planned + RESERVE, f"more memory than planned and {RESERVE / 1e9:.1f} GB")
        if chosen.device_at_most:
            row.hold(taken <= chosen.device_at_most, f"more memory than {chosen.device_at_most / 1e9:.1f} GB")
        if chosen.h200_at_least:
            row.hold(rate >= chosen.h200_at_least or not is_h200(), f"below {chosen.h200_at_least:.0f} tokens/s")
        if chosen.of:
            other = json.loads(chosen.of.read_text())["tokens_per_second"] if chosen.of.exists() else math.nan
            row.say(f"{rate / other:.3f} of {chosen.of.stem}")
            row.hold(rate / other >= chosen.ratio_at_least, f"below {chosen.ratio_at_least} of it")
        row.hold(not report["attention"].startswith("own"), "attention is our own kernels'")

    run_row(work)


if __name__ == "__main__":
    main()

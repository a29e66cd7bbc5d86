#!/usr/bin/env python3
"""What the GPU gives at best, by cuda_rates: rows of tests/gpu/run.sh.

    rates.py measure FILE -- PROGRAM …     runs the program, keeps what it says; the matmul peak and the copy bandwidth
    rates.py dequantize FILE               NF4 dequantisation of whole weights: at least 0.85 of the copy bandwidth
"""

import argparse
import json
from pathlib import Path

from card import call, run_row

SHARE = 0.85


def measure(row, chosen):
    chosen.rates.write_text(call(chosen.program))
    rates = json.loads(chosen.rates.read_text())
    row.say(f"bf16 products of random numbers {rates['matmul_flops_per_second'] / 1e12:.0f} TFLOP/s")
    row.say(f"copies on the device {rates['copy_bytes_per_second'] / 1e12:.2f} TB/s, read and written")


def dequantize(row, chosen):
    if not chosen.rates.exists():
        return row.hold(False, "no rates: their row left none")
    rates = json.loads(chosen.rates.read_text())
    whole, panels = (rates[f"dequantize_{what}bytes_per_second"] / rates["copy_bytes_per_second"] for what in ("", "in_panels_"))
    row.say(f"{whole:.3f} of the copy bandwidth, {panels:.3f} in panels as products take it (which stay in the cache)")
    row.hold(whole >= SHARE, f"below {SHARE}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("measure", "dequantize"))
    parser.add_argument("rates", type=Path, metavar="FILE")
    parser.add_argument("program", nargs="*")
    chosen = parser.parse_args()
    run_row(lambda row: (measure if chosen.what == "measure" else dequantize)(row, chosen))


if __name__ == "__main__":
    main()

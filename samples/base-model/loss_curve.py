#!/usr/bin/env python3
"""The loss of a run by update, as a table: means over a window, so that the curve shows and not each batch's noise.

    loss_curve.py out/metrics.jsonl --window 50 -o loss_curve.csv
"""

import argparse
import json
import statistics


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("metrics")
    parser.add_argument("--window", type=int, default=50, help="updates of a line [50]")
    parser.add_argument("-o", "--output", required=True)
    arguments = parser.parse_args()

    with open(arguments.metrics, encoding="utf-8") as file:
        steps = [row for row in map(json.loads, file) if "loss" in row]
    with open(arguments.output, "w", encoding="utf-8") as file:
        file.write("update,loss,learning_rate,tokens\n")
        for first in range(0, len(steps), arguments.window):
            window = steps[first : first + arguments.window]
            loss = statistics.fmean(step["loss"] for step in window)
            file.write(f"{window[-1]['step']},{loss:.4f},{window[-1]['learning_rate']:.6g},{window[-1]['num_tokens']}\n")
    print(f"{arguments.output}: {len(steps)} updates, loss {steps[0]['loss']:.4f} to {loss:.4f}")


if __name__ == "__main__":
    main()

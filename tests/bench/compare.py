#!/usr/bin/env python3
"""Times commands that print JSON with `tokens_per_second`, in turn, and prints each one's median and its ratio to the first's.

What else a machine does, and how warm it is, drifts over minutes: only rounds that take turns can be compared. The ratio is
the median of the rounds' ratios, so that a disturbed round weighs as one.
    compare.py --rounds 5 NAME='build/bin/zprun bench lora.fb --quiet' NAME='build/bin/zprun bench qlora.fb --quiet' …
"""
import argparse
import json
import shlex
import statistics
import subprocess
import sys


def measure(name, command):
    done = subprocess.run(shlex.split(command), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{name}: exit status {done.returncode} of {command}, expected 0\n{done.stderr[-2000:]}")
    start = done.stdout.find("{")
    try:
        return json.loads(done.stdout[start:])
    except json.JSONDecodeError as error:
        sys.exit(f"{name}: no JSON object on the output of {command} ({error})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("commands", nargs="+", metavar="NAME=COMMAND")
    options = parser.parse_args()
    commands = dict(text.split("=", 1) for text in options.commands)
    runs = {name: [] for name in commands}
    for turn in range(options.rounds):
        for name, command in commands.items():
            result = measure(name, command)
            runs[name].append(result)
            bound = f", model_bound {result['model_bound']:.3f}" if result.get("model_bound") else ""
            print(f"round {turn + 1}: {name} {result['tokens_per_second']:.1f} tok/s{bound}", flush=True)
    base = [result["tokens_per_second"] for result in next(iter(runs.values()))]
    for name, results in runs.items():
        rates = [result["tokens_per_second"] for result in results]
        ratio = statistics.median(rate / first for rate, first in zip(rates, base))
        bounds = [result["model_bound"] for result in results if result.get("model_bound")]
        bound = f"  model_bound {statistics.median(bounds):.3f}" if bounds else ""
        print(f"{name:16} median {statistics.median(rates):8.1f} tok/s ({min(rates):.1f} to {max(rates):.1f})  x {ratio:.3f}{bound}")


if __name__ == "__main__":
    main()

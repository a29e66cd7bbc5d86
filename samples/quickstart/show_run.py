#!/usr/bin/env python3
"""Shows what a run left in its output directory: the loss by update, and the adapter's files.

    show_run.py out
"""

import json
import pathlib
import sys

from safetensors import safe_open

WIDTH = 50


def main():
    output = pathlib.Path(sys.argv[1])
    steps = [json.loads(line) for line in (output / "metrics.jsonl").read_text().splitlines() if line]
    losses = [step["loss"] for step in steps]
    low, high = min(losses), max(losses)
    print("update     loss")
    shown = sorted({round(i * (len(steps) - 1) / 15) for i in range(16)})
    for i in shown:
        share = (losses[i] - low) / (high - low) if high > low else 0
        print(f"{steps[i]['step']:6} {losses[i]:8.4f}  {'▪' * (1 + round(share * WIDTH))}")
    print(f"loss {losses[0]:.4f} at the first update, {losses[-1]:.4f} at the last")

    with safe_open(output / "adapter_model.safetensors", framework="numpy") as file:
        names = list(file.keys())
        count = sum(file.get_tensor(name).size for name in names)
        print(f"adapter: {len(names)} tensors, {count:,} parameters; the first: {names[0]} {file.get_slice(names[0]).get_shape()}")
    for path in sorted(output.glob("adapter*")):
        print(f"{path.stat().st_size:12,} bytes  {path}")


if __name__ == "__main__":
    main()

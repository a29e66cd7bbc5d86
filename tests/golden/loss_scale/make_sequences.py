"""Writes sequences.json: what DeepSpeed's DynamicLossScaler makes of sequences of overflows.

python make_sequences.py      in an environment with DeepSpeed 0.19.8 (any device, one process)
"""

import json
import pathlib
import random

import deepspeed.comm
from deepspeed.runtime.fp16.loss_scaler import DynamicLossScaler

deepspeed.comm.get_rank = lambda: 0  # no process group is there: it only chooses who prints

# loss_scale_window, min_loss_scale, hysteresis, consecutive_hysteresis, initial_scale_power, share of overflows
CASES = [
    (4, 1.0, 1, False, 16, 0.2),
    (4, 1.0, 2, False, 16, 0.2),
    (5, 1.0, 3, False, 10, 0.4),
    (3, 1.0, 2, True, 16, 0.3),
    (7, 1.0, 4, True, 12, 0.7),
    (1, 64.0, 1, False, 8, 0.5),
    (1000, 1.0, 2, False, 32, 0.1),
    (2, 0.75, 2, False, 4, 0.8),
    (2, 1.0, 1, True, 5, 1.0),
]
UPDATES = 60


def run(window, least, hysteresis, consecutive, power, share, chance):
    scaler = DynamicLossScaler(
        init_scale=2.0**power,
        scale_window=window,
        min_scale=least,
        delayed_shift=hysteresis,
        consecutive_hysteresis=consecutive,
    )
    overflows, scales, left, raised = "", [], [], False
    for _ in range(UPDATES):
        overflow = chance.random() < share
        overflows += "x" if overflow else "."
        try:
            scaler.update_scale(overflow)
        except Exception:
            raised = True
            break
        scales.append(scaler.cur_scale)
        left.append(scaler.cur_hysteresis)
    settings = {
        "initial_scale_power": power,
        "loss_scale_window": window,
        "hysteresis": hysteresis,
        "consecutive_hysteresis": consecutive,
        "min_loss_scale": least,
    }
    return {"settings": settings, "overflows": overflows, "raises": raised, "scale": scales, "hysteresis": left}


def main():
    chance = random.Random(5)
    sequences = [run(*case, chance) for case in CASES for _ in range(2)]
    assert any(s["raises"] for s in sequences) and not all(s["raises"] for s in sequences)
    lines = ",\n".join(json.dumps(sequence) for sequence in sequences)
    pathlib.Path(__file__).with_name("sequences.json").write_text(f"[\n{lines}\n]\n")


main()

"""Holds a run's metrics and trained tensors to the reference's."""

import json
import math

import numpy as np
from safetensors.numpy import load_file

LEARNING_RATE = 1e-6  # relative; the rate may have been through fp32
EPOCH = 1e-6


class Mismatch(Exception):
    """The run's output isn't of the form that the comparison needs (a step or a tensor missing, a wrong shape)."""


def read_metrics(path):
    if not path.is_file():
        raise Mismatch(f"{path}: missing")
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def relative(value, expected):
    """|value - expected| against |expected|; not-a-number is infinitely far."""
    gap = abs(value - expected)
    if not math.isfinite(gap):
        return math.inf
    return gap / abs(expected) if expected else (0.0 if gap == 0 else math.inf)


def worst_of_steps(steps, expected):
    """{figure: (largest gap, step)} over the updates; every update has to be there, in order."""
    found = [step.get("step") for step in steps]
    if found != [step["step"] for step in expected]:
        raise Mismatch(f"metrics.jsonl has the steps {found}, expected 1..{len(expected)}")
    worst = {}
    for step, want in zip(steps, expected):
        for name in (figure for figure in want if figure != "step"):
            if name not in step:
                raise Mismatch(f"metrics.jsonl: step {want['step']} lacks `{name}`")
            if step[name] is None or want[name] is None:  # a skipped update has no norm, on both sides
                gap = 0.0 if step[name] is want[name] else math.inf
            else:
                gap = relative(float(step[name]), want[name])
            if name not in worst or gap > worst[name][0]:
                worst[name] = (gap, want["step"])
    return worst


def worst_change(final, expected, initial):
    """(largest gap, tensor name): the gap of a trained tensor is the L2 distance of its two final values over the L2 of the
    reference's change. Both sides must hold the same tensors, no more and no fewer."""
    missing, extra = sorted(expected.keys() - final.keys()), sorted(final.keys() - expected.keys())
    if missing or extra:
        raise Mismatch(
            f"trained tensors: missing {missing[:3]}, unexpected {extra[:3]} ({len(missing)} and {len(extra)})"
        )
    worst = (-1.0, "")
    for name, want in expected.items():
        if final[name].shape != want.shape:
            raise Mismatch(f"{name}: shape {final[name].shape}, expected {want.shape}")
        want, start, got = (tensor.astype(np.float64) for tensor in (want, initial[name], final[name]))
        gap = np.linalg.norm(got - want) / np.linalg.norm(want - start)
        worst = max(worst, (float(gap) if math.isfinite(gap) else math.inf, name))
    return worst


def loss_gap(case, output):
    """The largest relative gap of the losses alone."""
    return worst_of_steps(read_metrics(output / "metrics.jsonl"), case.expected_steps())["loss"][0]


def compare(case, output):
    """(failures, figures): what is out of tolerance, and the worst of each figure with its place."""
    worst = worst_of_steps(read_metrics(output / "metrics.jsonl"), case.expected_steps())
    weights = output / ("model.safetensors" if case.trains_everything else "adapter_model.safetensors")
    if not weights.is_file():
        raise Mismatch(f"{weights}: missing")
    worst["change"] = worst_change(load_file(weights), case.expected_final(), case.initial())
    limits = {"learning_rate": LEARNING_RATE, "epoch": EPOCH, "loss_scale": 0, "skipped_steps": 0, **case.tolerance}
    figures = {
        name: f"{name} {gap:.1e} ({place if name == 'change' else f'step {place}'})"
        for name, (gap, place) in worst.items()
    }
    failures = [f"{figures[name]} > {limits[name]:.0e}" for name in worst if not worst[name][0] <= limits[name]]
    return failures, figures

"""What a case must show before it is committed: a fixture that a wrong program could pass is worse than none."""

import tempfile
from pathlib import Path

import torch
from integration.support.golden_case import GoldenCase
from integration.support.variants import write_variant

from . import encoder_decoders, hf_trainer, loop
from .job import Job


def reference(spec):
    return hf_trainer.run if spec.trainer else loop.run


def loss_gap(one, other):
    """The largest relative difference of two runs' losses."""
    return max(abs(a["loss"] - b["loss"]) / abs(a["loss"]) for a, b in zip(one.steps, other.steps))


def gaps(one, other):
    """Largest relative gaps of loss, gradient norm and change (L2, the worst tensor) between two runs of one job."""
    if [a["grad_norm"] is None for a in one.steps] != [b["grad_norm"] is None for b in other.steps]:
        raise RuntimeError("the two runs don't skip the same updates")
    applied = [(a, b) for a, b in zip(one.steps, other.steps) if a["grad_norm"] is not None]
    norm = max(abs(a["grad_norm"] - b["grad_norm"]) / a["grad_norm"] for a, b in applied)
    change = max(
        ((one.final[name] - other.final[name]).norm() / (one.final[name] - one.initial[name]).norm()).item()
        for name in one.final
    )
    return {"loss": loss_gap(one, other), "grad_norm": norm, "change": change}


def attention_peak(case):
    """Mean over layers, heads and queries with at least 8 keys in sight of the largest attention probability."""
    job = Job(case, attention="eager")
    model = job.model.eval()
    with torch.no_grad():
        outputs = model(**job.rows(list(range(4))), output_attentions=True)
    if job.seq2seq:
        peaks = [layer.float().amax(-1) for layer in encoder_decoders.attention_maps(outputs)]
        return torch.cat([peak.flatten() for peak in peaks]).mean().item()
    maps = outputs.attentions
    positions = job.tokens["position_ids"][:4]
    peaks = torch.stack([layer.float().amax(-1) for layer in maps])  # [layers, rows, heads, queries]
    return peaks.permute(0, 2, 1, 3)[:, :, positions >= 8].mean().item()


class Failures(list):
    def require(self, condition, text):
        if not condition:
            self.append(text)


def check(spec, case, result):
    """Returns (failures, one line of figures)."""
    failures, tolerance, run = Failures(), case.tolerance, reference(spec)
    losses = [step["loss"] for step in result.steps]
    failures.require(len(losses) == 20, f"{len(losses)} updates, not 20")
    # The rows of one update are not those of the next: compare a pass over the data at both ends.
    ends = sum(losses[:3]) / 3, sum(losses[-3:]) / 3
    failures.require(
        ends[1] < 0.9 * ends[0] and losses[-1] < 0.9 * losses[0],
        f"the loss falls only from {losses[0]:.4f} to {losses[-1]:.4f}",
    )
    peak = attention_peak(case)
    failures.require(0.5 < peak < 0.97, f"attention's mean peak is {peak:.2f}")
    if case.adapter:
        still = [name for name in result.final if "lora_B" in name and not result.initial[name].any()]
        failures.require(not still, f"B starts at zero: {still}")

    if spec.must_clip:
        limit = float(case.import_flags["max_grad_norm"])
        failures.require(
            min(step["grad_norm"] for step in result.steps) > 2 * limit, "clipping is not active in every update"
        )

    narrow = "bf16" in case.import_flags or "fp16" in case.import_flags
    if "initial_scale_power" in case.import_flags:
        # Eager attention overflows in places of its own. What is a quarter away from the edge is not a matter of rounding.
        each = [gaps(result, run(case, first_scale=factor)) for factor in (0.8, 1.25)]
        noise = {name: max(found[name] for found in each) for name in each[0]}
    else:
        noise = gaps(result, run(case, attention="eager" if narrow else "sdpa"))
    if not narrow:
        double = gaps(result, run(case, dtype=torch.float64))
        noise = {name: max(noise[name], double[name]) for name in noise}
    for name, value in noise.items():
        room = 1.5 if narrow else 4
        failures.require(value * room < tolerance[name], f"the reference's own {name} noise is {value:.1e}")
    if spec.trainer:
        by_hand = gaps(result, loop.run(case))
        failures.require(
            by_hand["loss"] < 1e-6 and by_hand["change"] < 1e-4, f"the Trainer and the update loop differ: {by_hand}"
        )

    effects = {}
    if spec.mean_of_means:
        effects["mean of means"] = loss_gap(result, loop.run(case, mean_of_means=True))
    with tempfile.TemporaryDirectory() as folder:
        for variant in spec.variants:
            altered = GoldenCase(write_variant(case.folder, variant, Path(folder) / variant["name"]))
            if variant.get("expect") != "refused":
                effects[variant["name"]] = loss_gap(result, run(altered))
                continue
            try:
                run(altered)
                failures.append(f"{variant['name']}: PEFT accepts it")
            except RuntimeError:
                pass
    for name, effect in effects.items():
        failures.require(effect > 10 * tolerance["loss"], f"{name} changes the loss by only {effect:.1e}")
    figures = (
        f"loss {losses[0]:.3f} -> {losses[-1]:.3f}, peak {peak:.2f}, noise "
        + " ".join(f"{k} {v:.0e}" for k, v in noise.items())
        + "; "
        + ", ".join(f"{k} {v:.0e}" for k, v in effects.items())
    )
    return failures, figures

"""Writes schedules.json: the learning rates of transformers' and DeepSpeed's own schedulers, update by update.

python make_schedules.py      with transformers 5.23, accelerate 1.15 and DeepSpeed 0.19.8 (any device, one process)

A case is a job's settings in our words, its number of updates, and a rate for each update and for the one that would follow. What
a DeepSpeed section leaves at `auto` is filled in by transformers' own HfTrainerDeepSpeedConfig.
"""

import copy
import json
import math
import pathlib
import types

import torch
from deepspeed.runtime import lr_schedules
from transformers import get_scheduler
from transformers.integrations.deepspeed import HfTrainerDeepSpeedConfig

RATE = 2e-3


def case(type, kwargs=None, warmup=0, updates=12, rate=RATE):
    return {"type": type, "kwargs": kwargs or {}, "warmup": warmup, "updates": updates, "rate": rate}


ROOTS = {"decay_type": "1-sqrt", "warmup_type": "1-sqrt"}
TRANSFORMERS = [
    case("linear", warmup=3),
    case("linear"),
    case("linear", warmup=15),
    case("cosine", warmup=2),
    case("cosine", {"num_cycles": 1.5}, warmup=3, updates=20),
    case("cosine_with_restarts", warmup=2),
    case("cosine_with_restarts", {"num_cycles": 3}, warmup=4, updates=25),
    case("constant", warmup=3),
    case("constant_with_warmup", warmup=3),
    case("polynomial", warmup=2),
    case("polynomial"),
    case("polynomial", {"lr_end": 1e-4, "power": 2.0}, warmup=3, updates=17),
    case("polynomial", {"power": 0.5}, updates=9),
    case("inverse_sqrt", warmup=3),
    case("inverse_sqrt"),
    case("inverse_sqrt", {"timescale": 7}, warmup=3),
    case("cosine_with_min_lr", {"min_lr": 1e-6}, warmup=2),
    case("cosine_with_min_lr", {"min_lr_rate": 0.1}),
    case("cosine_with_min_lr", {"min_lr_rate": 0.25, "num_cycles": 1}, warmup=3, updates=20),
    case("cosine_warmup_with_min_lr", {"min_lr": 1e-5}, warmup=4),
    case("cosine_warmup_with_min_lr", {"min_lr_rate": 0.1, "warmup_lr_rate": 0.2}, warmup=4),
    case("cosine_warmup_with_min_lr", {"min_lr_rate": 0, "warmup_lr_rate": 0.5, "num_cycles": 0.75}, warmup=1, updates=9),
    case("cosine_warmup_with_min_lr", {"min_lr": 0}),
    case("warmup_stable_decay", {"num_decay_steps": 4}, warmup=3, updates=14),
    case("warmup_stable_decay", {"num_decay_steps": 5, "num_stable_steps": 2, "min_lr_ratio": 0.1}, warmup=3, updates=14),
    case("warmup_stable_decay", {"num_decay_steps": 6, "decay_type": "linear", "warmup_type": "cosine"}, warmup=4, updates=14),
    case("warmup_stable_decay", {"num_decay_steps": 6, **ROOTS, "min_lr_ratio": 0.05}, warmup=4, updates=14),
    case("warmup_stable_decay", {"num_decay_steps": 6, "num_cycles": 1.0}, updates=10),
    case("warmup_stable_decay", {"num_decay_steps": 20}, warmup=3, updates=14),
    case("warmup_stable_decay", {"num_decay_steps": 0, "min_lr_ratio": 0.3}, warmup=3, updates=8),
]
AUTO = {"warmup_min_lr": "auto", "warmup_max_lr": "auto", "warmup_num_steps": "auto"}
CYCLE = {"cycle_min_lr": 1e-4, "cycle_max_lr": 1e-3, "cycle_momentum": False}


def cycle(first, second=None, stairs=(), **arguments):
    sizes = {"cycle_first_step_size": first} | ({} if second is None else {"cycle_second_step_size": second})
    counts = dict(zip(("cycle_first_stair_count", "cycle_second_stair_count"), stairs, strict=False))
    return {**CYCLE, **sizes, **counts, **arguments}


DEEPSPEED = [
    case("WarmupLR", AUTO, warmup=4),
    case("WarmupLR", AUTO),
    case("WarmupLR", {**AUTO, "warmup_type": "linear"}, warmup=5),
    case("WarmupLR", {"warmup_min_lr": 1e-5, "warmup_num_steps": 6}),
    case("WarmupLR"),
    case("WarmupLR", {"warmup_num_steps": 1, "warmup_type": "linear"}),
    case("WarmupDecayLR", {**AUTO, "total_num_steps": "auto"}, warmup=4),
    case("WarmupDecayLR", {**AUTO, "total_num_steps": "auto"}),
    case("WarmupDecayLR", {"total_num_steps": "auto", "warmup_num_steps": 3}),
    case("WarmupDecayLR", {**AUTO, "total_num_steps": 12, "warmup_min_lr": 5e-4, "warmup_type": "linear"}, warmup=3),
    case("WarmupDecayLR", {**AUTO, "total_num_steps": "auto"}, warmup=20),
    case("WarmupCosineLR", {"total_num_steps": "auto", "warmup_num_steps": "auto"}, warmup=3),
    case("WarmupCosineLR", {"total_num_steps": "auto", "warmup_num_steps": 4, "warmup_min_ratio": 0.2, "cos_min_ratio": 0.1}),
    case("WarmupCosineLR", {"total_num_steps": "auto", "warmup_num_steps": "auto", "warmup_type": "linear"}, warmup=14),
    case("OneCycle", cycle(4), updates=14),
    case("OneCycle", cycle(3, 5, decay_step_size=2, decay_lr_rate=0.5), updates=16),
    case("OneCycle", cycle(6, stairs=(3,)), updates=15),
    case("OneCycle", cycle(6, 4, stairs=(2, 4))),
    case("OneCycle", cycle(7, 0, decay_step_size=1, decay_lr_rate=0.1)),
    case("LRRangeTest", {"lr_range_test_min_lr": 1e-4, "lr_range_test_step_size": 3, "lr_range_test_step_rate": 2.0}),
    case("LRRangeTest", {"lr_range_test_step_size": 4, "lr_range_test_staircase": True}),
    case("LRRangeTest"),
]


def optimizer_of(rate):
    return torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=rate)


def rates_of(optimizer, scheduler, updates):
    rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(updates):
        optimizer.step()
        scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


def by_transformers(job):
    optimizer = optimizer_of(job["rate"])
    scheduler = get_scheduler(job["type"], optimizer, job["warmup"], job["updates"], job["kwargs"])
    return rates_of(optimizer, scheduler, job["updates"])


class Arguments(types.SimpleNamespace):
    """Of TrainingArguments what the config's filling looks at."""

    def get_warmup_steps(self, updates):
        return self.warmup_steps


def filled_in(job):
    given = job["kwargs"].get("warmup_num_steps")
    arguments = Arguments(
        world_size=1, per_device_train_batch_size=1, gradient_accumulation_steps=1, max_grad_norm=1.0, learning_rate=job["rate"],
        adam_beta1=0.9, adam_beta2=0.999, adam_epsilon=1e-8, weight_decay=0.0, save_on_each_node=False, fp16=False,
        fp16_full_eval=False, bf16=False, bf16_full_eval=False, warmup_steps=given if isinstance(given, int) else job["warmup"],
    )  # fmt: skip
    scheduler = {"type": job["type"], "params": copy.deepcopy(job["kwargs"])}
    config = HfTrainerDeepSpeedConfig({"zero_optimization": {"stage": 0}, "scheduler": scheduler})
    config.trainer_config_process(arguments)
    config.trainer_config_finalize(arguments, None, job["updates"])
    return config.config["scheduler"]["params"]


def by_deepspeed(job):
    optimizer = optimizer_of(job["rate"])
    scheduler = getattr(lr_schedules, job["type"])(optimizer, **filled_in(job))
    return rates_of(optimizer, scheduler, job["updates"])


def written(job, rates):
    settings = {"lr_scheduler_type": job["type"], "learning_rate": job["rate"], "warmup_steps": job["warmup"]}
    if job["kwargs"]:
        settings["lr_scheduler_kwargs"] = json.dumps(job["kwargs"])
    assert all(math.isfinite(rate) and rate >= 0 for rate in rates), job
    return json.dumps({"settings": settings, "updates": job["updates"], "rates": rates})


def main():
    lines = [written(job, by_transformers(job)) for job in TRANSFORMERS] + [written(job, by_deepspeed(job)) for job in DEEPSPEED]
    pathlib.Path(__file__).with_name("schedules.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


main()

"""Draws what a trainer does around its updates: their number, the schedule, when it logs, evaluates and saves, what is the best."""

import json
import random
from dataclasses import dataclass

OF_RUN = ("eval_strategy", "eval_steps", "eval_delay", "eval_on_start", "load_best_model_at_end", "metric_for_best_model", "greater_is_better",
          "save_strategy", "save_steps", "save_total_limit", "per_device_eval_batch_size")  # fmt: skip
SCHEDULES = {
    "linear": [{}],
    "constant": [{}],
    "constant_with_warmup": [{}],
    "cosine": [{}, {"num_cycles": 1.5}],
    "cosine_with_restarts": [{}, {"num_cycles": 2}],
    "polynomial": [{}, {"lr_end": 1e-3}, {"power": 2.0}],
    "inverse_sqrt": [{}, {"timescale": 3}],
    "cosine_with_min_lr": [{"min_lr": 1e-3}, {"min_lr_rate": 0.1}],
    "cosine_warmup_with_min_lr": [{"min_lr": 1e-3}, {"min_lr_rate": 0.1, "warmup_lr_rate": 0.2}],
    "warmup_stable_decay": [{"num_decay_steps": 1}, {"num_decay_steps": 3, "decay_type": "linear"}, {"num_decay_steps": 2, "min_lr_ratio": 0.1}],
}


@dataclass
class TrainerDraw:
    number: int
    ranks: int
    documents: int
    held_out: int
    packing: bool
    masked: bool  # some labels of a document don't count
    full: bool  # every parameter is trained
    arguments: dict  # of SFTConfig
    flags_of_run: bool  # what zprun may be told as well as the plan, it is
    resume: float  # which checkpoint a run goes on from, as a share of them

    @property
    def case(self):
        return self

    @property
    def name(self):
        return f"trainer_{self.number:05}"

    def describe(self):
        kind = ["every parameter" if self.full else "LoRA", *(name for name in ("packing", "masked") if getattr(self, name))]
        arguments = " ".join(f"{name} {value}" for name, value in self.arguments.items())
        return f"{' '.join(kind)}, {self.documents} and {self.held_out} documents, {arguments}"

    @property
    def evaluates(self):
        return self.arguments["eval_strategy"] != "no" or self.arguments.get("eval_on_start", False)

    def flags(self):
        """(of zpc import, of zprun). The best is by the reference's means, which depend on the batch."""
        spelled = {name: json.dumps(value) if isinstance(value, dict) else str(value).lower() for name, value in self.arguments.items()}
        spelled.setdefault("logging_steps", "10")
        metric = spelled.get("metric_for_best_model") or ("loss" if "load_best_model_at_end" in spelled else "")
        if metric:
            spelled["metric_for_best_model"] = f"{metric}_of_batches"
        run = {name: spelled.pop(name) for name in OF_RUN if name in spelled} if self.flags_of_run else {}
        return spelled, run


def draw_length(dice, found):
    """Documents, batches, updates."""
    arguments, packing = found.arguments, found.packing
    arguments["per_device_train_batch_size"] = batch = dice.choice([1, 1, 2, 2, 3, 4, 5])
    arguments["gradient_accumulation_steps"] = dice.choice([1, 1, 2, 3, 4])
    arguments["per_device_eval_batch_size"] = dice.choice([1, 2, 3, 8])
    if dice.random() < 0.25 and not packing:
        arguments["dataloader_drop_last"] = True
        found.held_out += found.ranks * arguments["per_device_eval_batch_size"]  # a full round: the reference has no loss without one
        found.documents += found.ranks * batch
    elif found.ranks > 1:  # the reference would fill the last round with rows of the first
        found.documents = batch * found.ranks * dice.randint(1, 5)
    if dice.random() < 0.5:
        arguments["max_steps"] = dice.choice([1, 2, 3, 5, 7, 10])
    else:
        arguments["num_train_epochs"] = dice.choice([0.1, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.3, 2.7, 3])
    if dice.random() < 0.2:
        arguments["train_sampling_strategy"] = "sequential"
    arguments["seed"] = dice.choice([7, 42, 100, 123456789])
    if dice.random() < 0.3:
        arguments["data_seed"] = dice.choice([0, 3, 42, 99])


def draw_optimizer(dice, found):
    """Rates at which rounding doesn't grow, mostly."""
    arguments = found.arguments
    long = found.documents * arguments.get("num_train_epochs", 0) > 25
    arguments["learning_rate"] = 3e-3 if long or found.full else dice.choice([1e-2, 4e-2])
    arguments["adam_epsilon"] = 1e-2
    arguments["weight_decay"] = dice.choice([0, 0.1])
    arguments["max_grad_norm"] = dice.choice([0, 0.3, 1.0, 1.4])
    kind = arguments["lr_scheduler_type"] = dice.choice(list(SCHEDULES))
    if more := dice.choice(SCHEDULES[kind]):
        arguments["lr_scheduler_kwargs"] = more
    if kind != "polynomial":  # the reference divides by the updates after the warm-up, of which there may be none
        arguments["warmup_steps"] = dice.choice([0, 0, 1, 2, 2.7, 5, 0.1, 0.25, 0.5, 0.99])


def draw_events(dice, found):
    """When it logs, evaluates and saves."""
    arguments = found.arguments
    arguments["logging_strategy"] = dice.choice(["steps"] * 5 + ["epoch", "epoch", "no"])
    arguments["logging_steps"] = dice.choice([1, 1, 1, 2, 3, 5, 10, 0.1, 0.25, 0.34, 0.5])
    arguments["eval_strategy"] = dice.choice(["steps"] * 4 + ["epoch"] * 3 + ["no"])
    arguments["save_strategy"] = dice.choice(["steps"] * 4 + ["epoch"] * 3 + ["no"])
    arguments["save_steps"] = dice.choice([1, 2, 3, 4, 500, 0.1, 0.25, 0.34, 0.5])
    may = {
        "eval_steps": (0.75, [1, 2, 3, 4, 0.1, 0.2, 0.34, 0.5]),
        "logging_first_step": (0.3, [True]),
        "eval_on_start": (0.25, [True]),
        "eval_delay": (0.25, [1, 2, 3, 0.5, 0.7, 0.9, 1.5]),
        "save_total_limit": (0.35, [1, 1, 2, 3]),
    }
    for name, (chance, values) in may.items():
        if dice.random() < chance:
            arguments[name] = dice.choice(values)


def draw_best(dice, found):
    arguments = found.arguments
    if arguments["eval_strategy"] == "no":
        return
    loads = dice.random() < 0.4
    if loads:
        arguments["load_best_model_at_end"] = True
        arguments["save_strategy"] = dice.choice([arguments["eval_strategy"]] * 4 + ["best"])
        # The reference loads no model, or not the best that is saved, where a better one isn't.
        arguments["save_steps"] = arguments.get("eval_steps") or arguments["logging_steps"]
    # By steps the reference saves an epoch's last update before it evaluates the epoch.
    early = arguments["save_strategy"] == "steps" and arguments["eval_strategy"] == "epoch"
    if arguments["save_strategy"] == "best" or (dice.random() < 0.4 and not early):
        arguments["metric_for_best_model"] = dice.choice(["loss", "eval_loss", "mean_token_accuracy", "eval_mean_token_accuracy"])
        if dice.random() < 0.25:
            arguments["greater_is_better"] = dice.random() < 0.5


def draw_trainer(number, ranks=1):
    dice = random.Random(f"trainer {number} {ranks}")
    found = TrainerDraw(
        number,
        ranks,
        documents=dice.choice([1, 2, 3, 5, 7, 8, 9, 11, 13, 16, 17, 20, 23, 31]),
        held_out=dice.choice([1, 2, 3, 4, 5, 7, 9, 12]),
        packing=ranks == 1 and dice.random() < 0.35,
        masked=dice.random() < 0.5,
        full=dice.random() < 0.2,
        arguments={},
        flags_of_run=dice.random() < 0.5,
        resume=dice.random(),
    )
    for part in (draw_length, draw_optimizer, draw_events, draw_best):
        part(dice, found)
    return found

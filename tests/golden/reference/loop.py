"""The update loop written by hand around transformers' model and PEFT: the loss is the sum of the token losses of the
whole update over its count of counted labels, then clip, AdamW in two decay groups, schedule. The pieces are the
libraries' own (loss, clip_grad_norm_, AdamW, get_scheduler, the Trainer's choice of decayed names; in fp16 DeepSpeed's
scaler of the loss: what overflows is skipped, by the schedule too)."""

import math

import torch
from transformers import Trainer, get_scheduler

from .job import Job, Result
from .settings import schedule_arguments, warmup_of


def epoch_order(settings, epoch, rows):
    if settings.train_sampling_strategy == "sequential":
        return list(range(rows))
    seed = settings.seed if settings.data_seed < 0 else settings.data_seed
    return torch.randperm(rows, generator=torch.Generator().manual_seed(seed + epoch)).tolist()


def make_optimizer(model, settings):
    decayed = set(Trainer.get_decay_parameter_names(None, model))
    named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for n, p in named if n in decayed], "weight_decay": settings.weight_decay},
        {"params": [p for n, p in named if n not in decayed], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=settings.learning_rate,
        fused=True,
        betas=(settings.adam_beta1, settings.adam_beta2),
        eps=settings.adam_epsilon,
    )


def make_scaler(settings, first_scale):
    """DeepSpeed's own; only fp16 cases need it installed."""
    import deepspeed.comm
    from deepspeed.runtime.fp16.loss_scaler import DynamicLossScaler

    deepspeed.comm.get_rank = lambda: 0  # without a process group: it only chooses who prints
    return DynamicLossScaler(
        init_scale=first_scale * 2.0**settings.initial_scale_power,
        scale_window=settings.loss_scale_window,
        min_scale=settings.min_loss_scale,
        delayed_shift=settings.hysteresis,
        consecutive_hysteresis=settings.consecutive_hysteresis,
    )


def unscale(trained, scale):
    """Whether every gradient is finite; divides them by the scale."""
    for parameter in trained:
        parameter.grad.div_(scale)
    return all(parameter.grad.isfinite().all() for parameter in trained)


def run(case, attention=None, dtype=None, mean_of_means=False, first_scale=1.0):
    """`mean_of_means` averages over micro-batches first: the common mistake that a case must tell apart. `first_scale` is a
    factor of fp16's first loss scale."""
    torch.set_num_threads(1)
    job = Job(case, attention, dtype)
    settings, model = job.settings, job.model
    initial = job.trained()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = make_optimizer(model, settings)
    warmup = warmup_of(settings)
    schedule = get_scheduler(
        settings.lr_scheduler_type,
        optimizer,
        int(warmup if warmup >= 1 else math.ceil(settings.max_steps * warmup)),
        settings.max_steps,
        schedule_arguments(settings),
    )
    batch, accumulation, rows = (
        settings.per_device_train_batch_size,
        settings.gradient_accumulation_steps,
        len(job.tokens["labels"]),
    )
    micros_in_epoch = math.ceil(rows / batch)
    scaler = make_scaler(settings, first_scale) if settings.fp16 else None
    steps, epoch, skipped = [], 0, 0
    while len(steps) < settings.max_steps:
        order = epoch_order(settings, epoch, rows)
        micros = [job.rows(order[at : at + batch]) for at in range(0, rows, batch)]
        for first in range(0, micros_in_epoch, accumulation):
            update = micros[first : first + accumulation]
            counted = [job.counted(micro) for micro in update]
            loss = 0.0
            for micro, count in zip(update, counted):
                items = count * len(update) if mean_of_means else sum(counted)
                micro_loss = job.loss(micro, items)
                (micro_loss * scaler.loss_scale if scaler else micro_loss).backward()
                loss += micro_loss.item()
            scaling = {}
            if scaler:
                scale = scaler.loss_scale
                overflow = not unscale(trained, scale)
                scaler.update_scale(overflow)
                skipped += overflow
                scaling = {"loss_scale": scale, "skipped_steps": skipped}
            norm = torch.nn.utils.clip_grad_norm_(trained, settings.max_grad_norm or math.inf).item()
            rate = schedule.get_last_lr()[0]
            if math.isfinite(norm):
                optimizer.step()
                schedule.step()
            optimizer.zero_grad()
            done = first + len(update)
            steps.append(
                {
                    "step": len(steps) + 1,
                    "loss": loss,
                    "grad_norm": norm if math.isfinite(norm) else None,
                    "learning_rate": rate,
                    "epoch": epoch + done / micros_in_epoch,
                    **scaling,
                }
            )
            if len(steps) == settings.max_steps:
                break
        epoch += 1
    return Result(steps, initial, job.trained())

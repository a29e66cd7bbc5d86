"""The reference for a job that starts from a seed: transformers' own Trainer around a freshly drawn PEFT adapter."""

import tempfile

import torch
from transformers import PrinterCallback, Trainer, TrainingArguments

from .job import Job, Result
from .settings import schedule_arguments, warmup_of


def run(case, attention=None, dtype=None):
    torch.set_num_threads(1)
    job = Job(case, attention, dtype)
    settings, initial = job.settings, job.trained()
    rows = [{name: tensor[0] for name, tensor in job.rows([i]).items()} for i in range(len(job.tokens["labels"]))]
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=settings.per_device_train_batch_size,
            gradient_accumulation_steps=settings.gradient_accumulation_steps,
            learning_rate=settings.learning_rate,
            lr_scheduler_type=settings.lr_scheduler_type,
            lr_scheduler_kwargs=schedule_arguments(settings),
            warmup_steps=warmup_of(settings),
            weight_decay=settings.weight_decay,
            adam_beta1=settings.adam_beta1,
            adam_beta2=settings.adam_beta2,
            adam_epsilon=settings.adam_epsilon,
            max_grad_norm=settings.max_grad_norm,
            max_steps=settings.max_steps,
            num_train_epochs=settings.num_train_epochs,
            seed=settings.seed,
            data_seed=settings.data_seed if settings.data_seed >= 0 else None,
            dataloader_drop_last=settings.dataloader_drop_last,
            train_sampling_strategy=settings.train_sampling_strategy,
            logging_steps=1,
            save_strategy="no",
            report_to=[],
            use_cpu=True,
            remove_unused_columns=False,
            disable_tqdm=True,
        )
        trainer = Trainer(
            model=job.model,
            args=arguments,
            train_dataset=rows,
            data_collator=lambda items: {name: torch.stack([item[name] for item in items]) for name in items[0]},
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    steps = [
        {name: entry[name] for name in ("step", "loss", "grad_norm", "learning_rate", "epoch")}
        for entry in trainer.state.log_history
        if "loss" in entry
    ]
    return Result(steps, initial, job.trained())

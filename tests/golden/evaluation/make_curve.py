#!/usr/bin/env python3
"""Trains a golden case with TRL's SFTTrainer, evaluating on the way, for tests/integration/evaluation_test.py (README.md).

The first eight rows of ../cases/llama_gqa_fp32 train, the last four evaluate in one batch, which makes TRL's means those over
the counted tokens. curve.json gets the log, the best model's step and metric, curve.safetensors the adapter at the end: that of
the best checkpoint, which is not the last one, for the evaluation loss rises again."""

import json
import os
import sys
import tempfile
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", HF_HUB_OFFLINE="1", CUDA_VISIBLE_DEVICES="", TRANSFORMERS_VERBOSITY="error")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]

import torch  # noqa: E402
from datasets import Dataset  # noqa: E402
from integration.support.golden_case import GoldenCase  # noqa: E402
from peft import PeftModel, get_peft_model_state_dict  # noqa: E402
from reference.job import Job  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from tokenizers import Tokenizer, models  # noqa: E402
from transformers import PreTrainedTokenizerFast, PrinterCallback  # noqa: E402
from trl import SFTConfig, SFTTrainer  # noqa: E402

CASE, TRAIN_ROWS = "llama_gqa_fp32", 8
UPDATES, EVERY = 20, 4
FLAGS = {"learning_rate": 2e-2, "adam_epsilon": 1e-2}  # the evaluation loss turns, and rounding does not grow
LOGGED = ("step", "epoch", "loss", "grad_norm", "learning_rate", "mean_token_accuracy", "eval_loss", "eval_mean_token_accuracy")


def tokenizer():
    """TRL wants one; nothing is tokenized."""
    words = Tokenizer(models.WordLevel({"<pad>": 0, "<eos>": 2}, unk_token="<pad>"))
    return PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="<eos>")


def main():
    torch.set_num_threads(1)
    job = Job(GoldenCase(HERE.parent / "cases" / CASE))
    assert isinstance(job.model, PeftModel)
    settings = job.settings
    rows = [{name: tensor[0].tolist() for name, tensor in job.rows([i]).items()} for i in range(12)]
    with tempfile.TemporaryDirectory() as folder:
        arguments = SFTConfig(
            output_dir=folder,
            per_device_train_batch_size=4,
            per_device_eval_batch_size=len(rows) - TRAIN_ROWS,
            **FLAGS,
            lr_scheduler_type="constant",
            weight_decay=settings.weight_decay,
            max_grad_norm=settings.max_grad_norm,
            max_steps=UPDATES,
            train_sampling_strategy="sequential",
            logging_steps=1,
            eval_strategy="steps",
            eval_steps=EVERY,
            save_strategy="steps",
            save_steps=EVERY,
            load_best_model_at_end=True,
            gradient_checkpointing=False,
            bf16=False,
            use_cpu=True,
            report_to=[],
            remove_unused_columns=False,
            disable_tqdm=True,
            dataset_kwargs={"skip_prepare_dataset": True},
        )
        trainer = SFTTrainer(
            model=job.model,
            args=arguments,
            train_dataset=Dataset.from_list(rows[:TRAIN_ROWS]),
            eval_dataset=Dataset.from_list(rows[TRAIN_ROWS:]),
            processing_class=tokenizer(),
            data_collator=lambda items: {name: torch.tensor([item[name] for item in items]) for name in items[0]},
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        state = trainer.state
        log = [{key: entry[key] for key in LOGGED if key in entry} for entry in state.log_history if "train_runtime" not in entry]
        best = {"best_global_step": state.best_global_step, "best_metric": state.best_metric}
        keys = {"train": list(state.log_history[0]), "eval": next(list(e) for e in state.log_history if "eval_loss" in e)}
        (HERE / "curve.json").write_text(
            json.dumps({"case": CASE, "train_rows": TRAIN_ROWS, "updates": UPDATES, "every": EVERY, "flags": FLAGS, **best, "keys": keys, "log_history": log}, indent=1)
            + "\n"
        )
        final = get_peft_model_state_dict(trainer.model, save_embedding_layers=False)
        save_file({name: tensor.detach().float().contiguous() for name, tensor in final.items()}, HERE / "curve.safetensors")
    losses = [entry["eval_loss"] for entry in log if "eval_loss" in entry]
    print(losses, best)
    assert 0 < state.best_global_step < UPDATES, "the last model is the best: nothing is shown"


if __name__ == "__main__":
    main()

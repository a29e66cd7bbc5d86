#!/usr/bin/env python3
"""Trains an adapter with TRL's SFTTrainer as people do, for tests/integration/trl_test.py (README.md): documents packed and padded
by TRL itself, shuffled by its Trainer, micro-batches accumulated, warm-up before a cosine, gradients clipped, evaluations between.

packed.* and padded.* each: .json the settings and the log of one process, and that of two, which share the batch and whose evaluations
have other batches; .safetensors the adapter at the end, -train and -eval.safetensors TRL's rows as a token file."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", HF_HUB_OFFLINE="1", CUDA_VISIBLE_DEVICES="", TRANSFORMERS_VERBOSITY="error")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]

import numpy as np  # noqa: E402
import torch  # noqa: E402
from datasets import Dataset  # noqa: E402
from integration.support.golden_case import GoldenCase  # noqa: E402
from make_curve import LOGGED, tokenizer  # noqa: E402
from peft import get_peft_model_state_dict  # noqa: E402
from reference.job import Job  # noqa: E402
from safetensors.numpy import save_file as save_arrays  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from transformers import PrinterCallback  # noqa: E402
from trl import SFTConfig, SFTTrainer  # noqa: E402

CASE, LENGTH, VOCABULARY = "llama_gqa_fp32", 24, 90
DOCUMENTS, HELD_OUT = 52, 9  # an even number of rows: two processes would train one twice
# What TrainingArguments and zpc import call alike. The large epsilon keeps rounding from growing.
FLAGS = {
    "per_device_train_batch_size": 2, "gradient_accumulation_steps": 4, "max_steps": 20, "learning_rate": 4e-2, "adam_epsilon": 1e-2,
    "lr_scheduler_type": "cosine", "warmup_steps": 4, "weight_decay": 0.1, "max_grad_norm": 1.4, "seed": 42, "eval_steps": 5,
    "per_device_eval_batch_size": 4,
}  # fmt: skip


def documents(generator, count):
    """Of unequal lengths, each a walk of even steps: there is something to learn."""
    found = []
    for _ in range(count):
        length, start, step = generator.integers(3, LENGTH + 1), generator.integers(0, VOCABULARY), generator.integers(1, 4)
        found.append({"input_ids": (3 + (start + step * np.arange(length)) % VOCABULARY).tolist()})
    return Dataset.from_list(found)


def token_file(path, dataset):
    """TRL's rows: a label counts but where a document begins."""
    rows = {name: np.full((len(dataset), LENGTH), fill, np.int32)
            for name, fill in (("input_ids", 0), ("labels", -100), ("position_ids", 0), ("segment_ids", -1))}  # fmt: skip
    for row, entry in enumerate(dataset):
        at, theirs = 0, entry.get("labels") or entry["input_ids"]
        for segment, length in enumerate(entry.get("seq_lengths") or [len(entry["input_ids"])]):
            here = slice(at, at + length)
            rows["input_ids"][row, here], rows["labels"][row, here] = entry["input_ids"][here], theirs[here]
            rows["position_ids"][row, here] = np.arange(length)
            rows["segment_ids"][row, here] = segment
            rows["labels"][row, at] = -100
            at += length
        assert at == len(theirs) == len(entry["input_ids"])
    save_arrays(rows, path)


def arguments_of(folder, ranks, **more):
    """Of a run in fp32 on CPUs that reports to nobody."""
    return SFTConfig(
        output_dir=str(folder),
        max_length=LENGTH,
        gradient_checkpointing=False,
        bf16=False,
        use_cpu=True,
        ddp_backend="gloo" if ranks > 1 else None,
        report_to=[],
        disable_tqdm=True,
        **more,
    )


def run(name, packing, ranks):
    generator = np.random.default_rng(5)
    train, test = documents(generator, DOCUMENTS), documents(generator, HELD_OUT)
    with tempfile.TemporaryDirectory() as folder:
        flags = {**FLAGS, "per_device_train_batch_size": FLAGS["per_device_train_batch_size"] // ranks}
        arguments = arguments_of(folder, ranks, **flags, packing=packing, logging_steps=1, eval_strategy="steps", save_strategy="no")
        trainer = SFTTrainer(model=Job(GoldenCase(HERE.parent / "cases" / CASE)).model, args=arguments, train_dataset=train,
                             eval_dataset=test, processing_class=tokenizer())  # fmt: skip
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    history = trainer.state.log_history
    log = [{key: entry[key] for key in LOGGED if key in entry} for entry in history if "train_runtime" not in entry]
    if not trainer.is_world_process_zero():
        return
    if ranks > 1:
        said = json.loads((HERE / f"{name}.json").read_text())
        (HERE / f"{name}.json").write_text(json.dumps({**said, f"log_history_of_{ranks}": log}, indent=1) + "\n")
        return
    token_file(HERE / f"{name}-train.safetensors", trainer.train_dataset)
    token_file(HERE / f"{name}-eval.safetensors", trainer.eval_dataset)
    said = {"case": CASE, "length": LENGTH, "rows": len(trainer.train_dataset), "flags": FLAGS, "train_loss": history[-1]["train_loss"]}
    (HERE / f"{name}.json").write_text(json.dumps({**said, "log_history": log}, indent=1) + "\n")
    final = get_peft_model_state_dict(trainer.model, save_embedding_layers=False)
    save_file({key: tensor.detach().float().contiguous() for key, tensor in final.items()}, HERE / f"{name}.safetensors")
    norms = [entry["grad_norm"] for entry in log if "grad_norm" in entry]
    clipped = sum(norm > FLAGS["max_grad_norm"] for norm in norms)
    print(name, said["rows"], "rows,", clipped, "of", len(norms), "updates clipped,", [e["eval_loss"] for e in log if "eval_loss" in e])
    assert 0 < clipped < len(norms), "clipping must be reached, and not by every update"


def main():
    torch.set_num_threads(1)
    ranks = int(os.environ.get("WORLD_SIZE", 1))
    run("packed", True, ranks)
    run("padded", False, ranks)
    if ranks == 1:
        subprocess.run([sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", __file__], check=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Texts with answers, as the PEFT guide's scripts of the offload example train and test on them, on the small base model.

    answers_test.py [--bin DIR]

padding     a run on rows padded on the left has the losses of the same rows padded on the right, and so has their evaluation
epochs      zp sft with the guide's YAML, as it stands, prints memory, perplexity and loss of each epoch: means of metrics.jsonl
answers     zp generate's answers to rows padded on the left are those to the same prompts padded on the right; memory lines of the eval
judged      zpdata accuracy and classify take what zp generate and zprun generate wrote
seq2seq     a small T5 learns by zp sft --mode seq2seq, and zp generate answers a row each, as zprun generate does by hand
kinds       a token file for another kind of model, or of other lengths, is refused before anything is trained, and so are flags of zp
            generate for another kind

A line a check; the last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import csv
import json
import math
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from support import tools
from support.memory_lines import contradictions, memory_lines

MODEL = tools.ROOT / "samples/base-model/model"
YAML = tools.ROOT / "samples/configs/accelerate_ds_zero3_cpu_offload_config.yaml"
COLUMNS = ["--source_column", "Tweet text", "--target_column", "Label"]
CLASSES = ["Unlabeled", "complaint", "no complaint"]
ROWS, HELD_OUT, LENGTH = 20, 6, 48
FLAGS = {
    "lora_r": 4, "lora_alpha": 8, "lora_target_modules": "q_proj,v_proj", "num_processes": 1, "per_device_train_batch_size": 4,
    "max_length": LENGTH, "max_steps": 4, "learning_rate": 1e-3, "seed": 3,
}  # fmt: skip


class Bench:
    def __init__(self, chosen, work):
        self.bin, self.work, self.timeout = chosen.bin, work, chosen.timeout
        self.data = work / "tweets"
        make = tools.ROOT / "samples/tweets/make_tweets.py"
        tools.call([sys.executable, make, "-o", self.data, "--rows", ROWS, "--held_out", HELD_OUT], self.timeout)
        self.train, self.test = self.data / "train.csv", self.data / "test.csv"
        self.t5 = work / "t5"
        tools.call([sys.executable, tools.ROOT / "samples/seq2seq/make_t5.py", self.train, "-o", self.t5], self.timeout)

    def call(self, tool, *words):
        return tools.call([self.bin / tool, *words], self.timeout)

    def fails(self, tool, *words):
        done = subprocess.run([self.bin / tool, *map(str, words)], capture_output=True, text=True, timeout=self.timeout)
        return done.returncode, done.stderr

    def tokens(self):
        path = self.work / "left.safetensors"
        if not path.exists():
            words = ["--mode", "causal", *COLUMNS, "--max_length", LENGTH]
            self.call("zpdata", self.train, "--tokenizer", MODEL, *words, "-o", path)
        return path


def moved_right(tensors):
    """The same documents with their padding on the other side."""
    moved = {name: np.empty_like(tensor) for name, tensor in tensors.items()}
    for row, segments in enumerate(tensors["segment_ids"]):
        padding = int((segments == -1).sum())
        for name, tensor in tensors.items():
            moved[name][row] = np.roll(tensor[row], -padding)
    return moved


def check_padding(bench):
    left, right = bench.tokens(), bench.work / "right.safetensors"
    tensors = load_file(left)
    if not ((tensors["segment_ids"][:, 0] == -1).any() and (tensors["segment_ids"][:, -1] == 0).all()):
        return ["the rows aren't padded on the left"]
    save_file(moved_right(tensors), right)
    plan = tools.make_plan(bench.bin, ["--model", MODEL], FLAGS, bench.work / "padding", bench.timeout)
    curves, evaluations = [], []
    for name, data in (("left", left), ("right", right)):
        out = bench.work / f"out-{name}"
        bench.call("zprun", plan, "--model", MODEL, "--dataset", data, "--output_dir", out, "--quiet")
        curves.append(tools.losses(out))
        evaluations.append(
            json.loads(bench.call("zprun", "eval", plan, "--model", MODEL, "--dataset", data).splitlines()[-1])["loss"]
        )
    gaps = tools.gap(*curves), abs(evaluations[0] - evaluations[1]) / evaluations[1]
    return [f"losses differ by {gaps}"] if not max(gaps) <= 1e-6 else []


def check_epochs(bench):
    out = bench.work / "sft"
    words = [
        "--config_file",
        YAML,
        "--model_name_or_path",
        MODEL,
        "--dataset_name",
        bench.data,
        "--output_dir",
        out,
        "--mode",
        "causal",
    ]
    words += [*COLUMNS, "--max_length", LENGTH, "--per_device_train_batch_size", 8, "--num_train_epochs", 2, "--bf16", "false"]
    words += ["--use_peft_lora", "true", "--lora_target_modules", "q_proj,v_proj", "--lora_r", 4, "--learning_rate", "3e-3"]
    words += ["--save_strategy", "epoch", "--report_memory", "true"]
    text = bench.call("zp", "sft", *words)
    failures = []
    epochs = re.findall(r"^epoch=(\d+): train_ppl=([\d.]+) train_epoch_loss=([\d.]+)$", text, re.MULTILINE)
    updates = math.ceil(ROWS / 8)
    losses = tools.losses(out)
    if len(losses) != 2 * updates or [epoch for epoch, *_ in epochs] != ["0", "1"]:
        return [f"{len(losses)} updates, epochs {epochs}, expected {2 * updates} in two epochs"]
    for number, (_, perplexity, loss) in enumerate(epochs):
        mean = sum(losses[number * updates : (number + 1) * updates]) / updates
        if abs(float(loss) - mean) > 6e-5 or abs(float(perplexity) / math.exp(mean) - 1) > 1e-4:
            failures.append(f"epoch {number} says {perplexity} {loss}, metrics.jsonl has a mean of {mean}")
    failures += contradictions(memory_lines(text, "train"), 2)
    return failures


def generate(bench, prompts, mode, *words, model=MODEL, adapter=None):
    """(answers in words, what it said) of zp generate, with the adapter that check_epochs trained if no other is named."""
    source = ["--model", model, "--adapter_name_or_path", adapter or bench.work / "sft"]
    words = ["--prompts", prompts, "--max_new_tokens", 5, "--mode", mode, "--json", "--quiet", "--report_memory", *words]
    done = subprocess.run(
        [str(word) for word in [bench.bin / "zp", "generate", *source, *words]],
        capture_output=True,
        text=True,
        timeout=bench.timeout,
    )
    if done.returncode:
        raise tools.StageFailed("zp generate", done.returncode, done.stderr)
    return done.stdout, done.stderr


def check_answers(bench):
    made, said = generate(bench, bench.test, "causal", "--source_column", "Tweet text", "--max_prompt_length", LENGTH)
    (bench.work / "answers.jsonl").write_text(made)
    with open(bench.test, newline="") as file:
        texts = [f"Tweet text : {row['Tweet text']} Label : " for row in csv.DictReader(file)]
    plain = bench.work / "plain.jsonl"
    plain.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    same, _ = generate(bench, plain, "sft")
    failures = [] if made == same and len(made.splitlines()) == HELD_OUT else [f"left {made!r}, right {same!r}"]
    if [len(values) for values in memory_lines(said, "eval")] != [1] * 8:
        failures.append("expected the eight memory lines of the eval")
    return failures


def check_judged(bench):
    answers, predictions = bench.work / "answers.jsonl", bench.work / "predictions.csv"
    texts = [json.loads(line)["text"] for line in answers.read_text().splitlines()]
    with open(bench.test, newline="") as file:
        rows = list(csv.DictReader(file))
    right = sum(text.strip() == row["Label"] for text, row in zip(texts, rows, strict=True))
    lines = bench.call("zpdata", "accuracy", answers, bench.test, "--target_column", "Label").splitlines()
    failures = []
    if lines[0] != f"accuracy={right / len(rows) * 100}" or lines[1] != f"eval_preds[:10]={texts[:10]}":
        failures.append(f"accuracy says {lines}")
    bench.call("zpdata", "classify", answers, bench.test, "--class_names", ",".join(CLASSES), "-o", predictions)
    with open(predictions, newline="") as file:
        written = list(csv.DictReader(file))
    if [row["ID"] for row in written] != [row["ID"] for row in rows] or not {row["Label"] for row in written} <= set(CLASSES):
        failures.append(f"predictions are {written}")
    return failures


def check_seq2seq(bench):
    out, prompts, made = bench.work / "seq2seq", bench.work / "prompts.safetensors", bench.work / "made.jsonl"
    words = ["--config_file", YAML, "--model_name_or_path", bench.t5, "--dataset_name", bench.data, "--output_dir", out]
    words += [
        "--mode",
        "seq2seq",
        *COLUMNS,
        "--max_source_length",
        48,
        "--max_target_length",
        8,
        "--bf16",
        "false",
        "--use_peft_lora",
        "true",
    ]
    words += [
        "--per_device_train_batch_size",
        8,
        "--num_train_epochs",
        12,
        "--lora_target_modules",
        "q,k,v,o,wi,wo",
        "--lora_r",
        8,
    ]
    bench.call("zp", "sft", *words, "--learning_rate", "1e-2")
    losses = tools.losses(out)
    failures = [] if losses[-1] < losses[0] / 2 else [f"the loss went from {losses[0]} to {losses[-1]}"]
    column = ["--source_column", "Tweet text"]
    # The family says that there is an encoder, with or without the key that says it too.
    silent = bench.work / "silent"
    shutil.copytree(bench.t5, silent, dirs_exist_ok=True)
    config = json.loads((silent / "config.json").read_text())
    del config["is_encoder_decoder"]
    (silent / "config.json").write_text(json.dumps(config))
    by_zp, _ = generate(bench, bench.test, "seq2seq", *column, model=silent, adapter=out)
    bench.call("zpdata", "prompts", bench.test, "--tokenizer", bench.t5, "--mode", "seq2seq", *column, "-o", prompts)
    source = ["--model", bench.t5, "--adapter_name_or_path", out]
    flags = {"generate": "true", "max_source_length": 48, "max_target_length": 6, "generation_batch_size": 4}
    plan = tools.make_plan(bench.bin, source, flags, bench.work / "encoder-decoder", bench.timeout)
    bench.call("zprun", "generate", plan, *source, "--prompts", prompts, "-o", made, "--max_new_tokens", 5)
    by_hand = bench.call("zpdata", "text", made, "--tokenizer", bench.t5, "--json")
    if by_zp != by_hand or len(by_zp.splitlines()) != HELD_OUT:
        failures.append(f"zp {by_zp!r}, by hand {by_hand!r}")
    code, said = bench.fails("zprun", "generate", plan, *source, "--prompts", bench.tokens(), "-o", made)
    if code != 4 or "expected what an encoder reads" not in said:
        failures.append(f"prompts of a decoder alone: exit {code}, {said!r}")
    return failures


def check_kinds(bench):
    """A source side beside the rows is what makes a file one for an encoder-decoder."""
    plan, causal = bench.work / "padding/plan.fb", bench.tokens()
    tensors = load_file(causal)
    pair = bench.work / "pair.safetensors"
    source = {
        f"source_{name}": tensors[column] for name, column in (("ids", "input_ids"), ("position_ids",) * 2, ("segment_ids",) * 2)
    }
    save_file({**tensors, **source}, pair, metadata={"kind": "seq2seq"})
    short = bench.work / "short.safetensors"
    save_file({name: np.ascontiguousarray(tensor[:, 1:]) for name, tensor in tensors.items()}, short)
    flags = {**FLAGS, "lora_target_modules": "q,v", "max_source_length": 24, "max_target_length": LENGTH}
    flags.pop("max_length")
    of_pairs = tools.make_plan(bench.bin, ["--model", bench.t5], flags, bench.work / "pairs", bench.timeout)
    failures = []
    code, said = bench.fails("zprun", of_pairs, "--model", bench.t5, "--dataset", causal, "--output_dir", bench.work / "refused")
    if code != 4 or "rows of a decoder alone, expected source_ids too" not in said:
        failures.append(f"causal rows in an encoder-decoder's plan: exit {code}, {said!r}")
    for data, says in ((pair, "rows of an encoder and a decoder, expected a decoder's alone"), (short, f"--max_length {LENGTH}")):
        for words in ([plan], ["eval", plan]):
            out = [] if words[0] == "eval" else ["--output_dir", bench.work / "refused"]
            code, said = bench.fails("zprun", *words, "--model", MODEL, "--dataset", data, *out)
            if code != 4 or not said.startswith("error[ZP3009] ") or says not in said or said.count("\n") != 1:
                failures.append(f"{data.name}: exit {code}, {said!r}")
    if (bench.work / "refused/metrics.jsonl").exists():
        failures.append("something was trained")
    for model, words, says in (
        (bench.t5, ["--mode", "causal"], "is causal, but T5ForConditionalGeneration is an encoder-decoder, expected seq2seq"),
        (MODEL, ["--mode", "seq2seq"], "is seq2seq, but LlamaForCausalLM is a decoder alone, expected sft or causal"),
        (MODEL, ["--max_prompt_length", 9], "--max_prompt_length: is given with --mode sft"),
    ):
        code, said = bench.fails("zp", "generate", "--model", model, "--prompts", bench.test, "--quiet", *words)
        if code != 2 or not said.startswith("error[ZP100") or says not in said or said.count("\n") != 1:
            failures.append(f"zp generate {words}: exit {code}, {said!r}")
    return failures


CHECKS = {
    "padding": check_padding,
    "epochs": check_epochs,
    "answers": check_answers,
    "judged": check_judged,
    "seq2seq": check_seq2seq,
    "kinds": check_kinds,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tools.add_arguments(parser)
    chosen = parser.parse_args()
    tally = tools.Tally()
    with tempfile.TemporaryDirectory() as folder:
        work = chosen.work_dir or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        bench = Bench(chosen, work)
        for name, check in CHECKS.items():
            try:
                tally.check(name, check(bench))
            except tools.StageFailed as failed:
                tally.check(name, [str(failed)])
    return tally.close()


if __name__ == "__main__":
    sys.exit(main())

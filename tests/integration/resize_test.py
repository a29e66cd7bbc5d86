#!/usr/bin/env python3
"""`zprun resize`: bases with rows for new tokens, what is trained on them, and where that loads.

    resize_test.py [--bin DIR]

trains    old rows stay, new ones are the mean of the old; the model learns from tokens that the old one refuses.
base      an adapter of it that names the old base holds embeddings and head, and upon that base computes what it does upon the new
          one, and what the merge of both does: losses within 1e-6. Trained further upon the old base it takes them along again.
families  embeddings have a name of their own in each; nothing else grows.

A line a check; the last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from support import pipeline, tools
from support.golden_case import find_cases

CASES = tools.ROOT / "tests/golden/cases"
HEAD, EMBEDDING = "lm_head.weight", "model.embed_tokens.weight"
OLD, WANTED, NEW = 101, 103, 104  # rows of the case's model, that are asked for, that there are then


class Bench:
    def __init__(self, chosen, work):
        self.chosen, self.work, self.number = chosen, work, 0
        self.case = find_cases(CASES, ["llama_gqa_fp32"])[0]
        self.flags = pipeline.import_flags(self.case, pipeline.Job(chosen.bin, 1, 0, timeout=chosen.timeout))
        self.tokens, self.trained = work / "new-tokens.safetensors", work / "trained"

    def folder(self):
        self.number += 1
        return self.work / f"out{self.number}"

    def call(self, tool, *words):
        return tools.call([self.chosen.bin / tool, *words], self.chosen.timeout)

    def plan(self, *source):
        return tools.make_plan(self.chosen.bin, source, self.flags, self.folder(), self.chosen.timeout)

    def loss(self, plan, *source):
        said = self.call("zprun", "eval", plan, *source, "--dataset", self.tokens, "--quiet")
        return json.loads([line for line in said.splitlines() if line.startswith("{")][-1])["loss"]


def trains(bench, tally):
    case, out = bench.case, bench.folder()
    bench.call("zprun", "resize", "--model", case.model, "--vocab_size", WANTED, "-o", out, "--quiet")
    before, after = load_file(case.model / "model.safetensors"), load_file(out / "model.safetensors")
    failures = [] if before.keys() == after.keys() else ["other tensors"]
    for name, tensor in before.items():
        if not np.array_equal(after[name][: len(tensor)], tensor):
            failures.append(f"{name} has changed")
        if name in (HEAD, EMBEDDING):
            mean = tensor.astype(np.float64).mean(axis=0)
            if after[name].shape != (NEW, tensor.shape[1]) or np.abs(after[name][OLD:] - mean).max() > 1e-7:
                failures.append(f"{name} has {after[name].shape}, or new rows that aren't the mean")
    if json.loads((out / "config.json").read_text())["vocab_size"] != NEW:
        failures.append("config.json names another vocabulary")
    rows = load_file(case.tokens)
    rows["input_ids"][:, 0] = rows["labels"][:, 3] = WANTED - 1
    save_file(rows, bench.tokens)

    def words(model):
        plan = bench.plan("--model", model)
        words = [bench.chosen.bin / "zprun", plan, "--model", model, "--dataset", bench.tokens, "--output_dir", bench.trained, "--quiet"]
        return [str(word) for word in [*words, "--base_model_name_or_path", case.model]]

    refused = subprocess.run(words(case.model), capture_output=True, text=True)
    if refused.returncode != 4 or "ZP3010" not in refused.stderr:
        failures.append(f"the old model takes the new token: exit {refused.returncode}")
    tools.call(words(out), bench.chosen.timeout)
    losses = tools.losses(bench.trained)
    if not losses[-1] < losses[0]:
        failures.append(f"loss {losses[0]:.2f} to {losses[-1]:.2f}")
    few = [bench.chosen.bin / "zprun", "resize", "--model", case.model, "--vocab_size", OLD, "-o", bench.folder(), "--pad_to_multiple_of", 1]
    few = subprocess.run([str(word) for word in few], capture_output=True, text=True)
    if few.returncode != 2 or "makes 101 rows, expected more than the 101" not in few.stderr:
        failures.append(f"as many rows as before: {few.stderr[-200:]}")
    tally.check("trains", failures, f"{OLD} to {NEW} rows, loss {losses[0]:.2f} to {losses[-1]:.2f} on new tokens")
    return out


def base(bench, tally):
    grown = trains(bench, tally)
    old, adapter = bench.case.model, ["--adapter_name_or_path", bench.trained]
    saved = load_file(bench.trained / "adapter_model.safetensors")
    failures = [
        f"{name} is {getattr(saved.get('base_model.model.' + name), 'shape', 'missing')}"
        for name in (EMBEDDING, HEAD)
        if getattr(saved.get("base_model.model." + name), "shape", (0,))[0] != NEW
    ]
    merged = bench.folder()
    bench.call("zprun", "merge", "--model", old, *adapter, "-o", merged, "--quiet")
    if (rows := load_file(merged / "model.safetensors")[EMBEDDING].shape[0]) != NEW:
        failures.append(f"merged, it has {rows} rows")
    losses = {
        "the new base": bench.loss(bench.plan("--model", grown, *adapter), "--model", grown, *adapter),
        "the old base": bench.loss(bench.plan("--model", old, *adapter), "--model", old, *adapter),
        "the merge": bench.loss(bench.plan("--model", merged), "--model", merged, "--adapter", "off"),
    }
    spread = max(losses.values()) - min(losses.values())
    if not spread < 1e-6 * min(losses.values()):
        failures.append(f"losses {losses}")
    further = bench.folder()
    words = ["--model", old, *adapter, "--dataset", bench.tokens, "--output_dir", further, "--quiet"]
    bench.call("zprun", bench.plan("--model", old, *adapter), *words)
    again = load_file(further / "adapter_model.safetensors")
    for name in (EMBEDDING, HEAD):
        if not np.array_equal(again.get("base_model.model." + name), saved.get("base_model.model." + name)):
            failures.append(f"trained further, it holds another {name}")
    tally.check("upon the base that it names", failures, f"loss {losses['the old base']:.4f}, {spread:.1e} apart")


def families(bench, tally):
    """Embeddings have a name of their own in each family; what else has as many rows as there are tokens stays as it is."""
    grown = {
        "bloom_norms": ["transformer.word_embeddings.weight"],
        "falcon_groups": ["transformer.word_embeddings.weight"],
        "t5_all_linear": ["shared.weight"],
        "bart_qv": ["model.shared.weight"],
    }
    for case in find_cases(CASES, list(grown)):
        out, weights, failures = bench.folder(), load_file(case.model / "model.safetensors"), []
        model = Path(shutil.copytree(case.model, bench.work / f"to-grow-{case.name}"))
        rows = json.loads((model / "config.json").read_text())["vocab_size"]
        weights["a.linear.weight"] = np.ones((rows, 3), np.float32)
        if case.name == "bart_qv":
            weights["final_logits_bias"] = np.full((1, rows), 0.5, np.float32)
        save_file(weights, model / "model.safetensors", {"format": "pt"})
        want = rows // 8 * 8 + 8
        tools.call([bench.chosen.bin / "zprun", "resize", "--model", model, "--vocab_size", rows + 1, "-o", out, "--quiet"], bench.chosen.timeout)
        after = load_file(out / "model.safetensors")
        for name, tensor in weights.items():
            new = after[name]
            if name == "final_logits_bias":
                same = new.shape == (1, want) and np.array_equal(new[:, :rows], tensor) and not new[:, rows:].any()
            elif name in [*grown[case.name], HEAD]:
                mean = tensor.astype(np.float64).mean(axis=0)
                same = new.shape == (want, tensor.shape[1]) and np.array_equal(new[:rows], tensor) and np.abs(new[rows:] - mean).max() < 1e-6
            else:
                same = np.array_equal(new, tensor)
            failures += [] if same else [f"{name} is {new.shape}, or has other values"]
        failures += [] if after.keys() == weights.keys() else ["other tensors"]
        said = json.loads((out / "config.json").read_text())["vocab_size"]
        failures += [] if said == want else [f"config.json says {said} tokens, expected {want}"]
        tally.check(case.name, failures, f"{rows} to {want} rows")


if __name__ == "__main__":
    sys.exit(tools.run_parts(__doc__, "resize", Bench, (base, families)))

#!/usr/bin/env python3
"""`cmake --install`: a folder with the tools, which work wherever it is moved to.

    install_test.py [--bin DIR]

The last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

from support import tools
from support.saving import Bench, weights

CASE = "llama_gqa_fp32"
MODEL = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "vocab_size": 600,
    "max_position_embeddings": 64,
    "initializer_range": 0.05,
    "tie_word_embeddings": False,
}
PROGRAMS = {"zp", "zpc", "zpdata", "zpdump", "zprun"}


class Installed:
    def __init__(self, chosen, work):
        self.chosen, self.work, self.root = chosen, work, work / "moved"
        first = work / "prefix"
        done = subprocess.run(["cmake", "--install", chosen.bin.parent, "--prefix", first], capture_output=True, text=True)
        self.failure = done.stderr.strip()[-300:] if done.returncode else ""
        if not self.failure:
            first.rename(self.root)
        self.bin, self.share = self.root / "bin", self.root / "share/zeroplan"

    def run(self, *words):
        environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
        return subprocess.run([*map(str, words)], capture_output=True, text=True, env=environment, timeout=self.chosen.timeout)


def files(installed, tally):
    failures = [installed.failure] if installed.failure else []
    found = {path.name for path in installed.bin.iterdir()}
    failures += [] if found == PROGRAMS else [f"bin has {sorted(found)}"]
    modules = {path.name for path in (tools.ROOT / "frontends/data/zpdata").glob("*.py")}
    there = {str(path.relative_to(installed.share)) for path in installed.share.rglob("*") if path.is_file()}
    wanted = {f"zpdata/{name}" for name in modules} | {"requirements.txt"}
    failures += [] if there == wanted else [f"share has {sorted(there ^ wanted)[:3]} more or fewer"]
    tally.check("files", failures, f"{len(found)} programs, {len(there)} files of zpdata")


def python(installed, tally):
    """zpdata says how its environment is made, and runs in it."""
    done = installed.run(installed.bin / "zpdata", "--version")
    environment = installed.share.parent.parent / "bin/../share/zeroplan/venv"
    said = f"error[ZP3001] {environment}: no Python environment, expected one with zpdata's libraries; run: python3 -m venv {environment} && "
    failures = [] if done.returncode == 4 and done.stderr.startswith(said) else [f"exit {done.returncode}: {done.stderr}"]
    (installed.share / "venv").symlink_to(tools.ROOT / ".venv")
    done = installed.run(installed.bin / "zpdata", "--version")
    failures += [] if done.returncode == 0 and done.stdout.startswith("zpdata ") else [f"exit {done.returncode}: {done.stderr}"]
    tally.check("zpdata's environment", failures)


def programs(installed, tally):
    failures = []
    for name in sorted(PROGRAMS - {"zpdata"}):
        done = installed.run(installed.bin / name, "--version")
        failures += [] if done.returncode == 0 and done.stdout.startswith(f"{name} ") else [f"{name}: exit {done.returncode}: {done.stderr}"]
    tally.check("programs", failures)


def training(installed, tally):
    """What is trained has the bytes that the build's own tools give it."""
    found = []
    for folder in (installed.chosen.bin, installed.bin):
        bench = Bench(SimpleNamespace(**{**vars(installed.chosen), "bin": folder}), installed.work / f"by-{folder.parent.name}")
        found.append(weights(bench.train(CASE, 2, 3, import_flags={"max_steps": 3})))
    tally.check("training", [] if found[0] == found[1] else ["other bytes"])


def recipe(installed, tally):
    """zp starts the programs beside it; whether rows must be made anew it asks of zpdata's modules there."""
    samples, work = tools.ROOT / "samples", installed.work
    model, rows, out = work / "model", work / "chats.jsonl", work / "out"
    (work / "config.json").write_text(json.dumps(MODEL))
    for words in (
        [samples / "quickstart/make_chats.py", "-o", rows],
        [samples / "base-model/make_tokenizer.py", rows, "--vocab_size", MODEL["vocab_size"], "-o", model],
        [samples / "base-model/make_model.py", work / "config.json", "-o", model],
    ):
        tools.call([sys.executable, *words], installed.chosen.timeout)
    rows.write_text("".join(rows.read_text().splitlines(keepends=True)[:40]))
    flags = {"model_name_or_path": model, "dataset_name": rows, "output_dir": out, "num_processes": 1, "max_length": 64, "max_steps": 2,
             "use_peft_lora": "true", "lora_target_modules": "all-linear"}  # fmt: skip
    done = installed.run(installed.bin / "zp", "sft", *(word for name, value in flags.items() for word in (f"--{name}", value)))
    failures = [] if done.returncode == 0 and (out / "adapter_model.safetensors").exists() else [f"exit {done.returncode}: {done.stderr[-300:]}"]
    asked = (out / ".zp-cache/files.json").read_text() if not failures else ""
    failures += [] if failures or ("share/zeroplan/zpdata" in asked and str(tools.ROOT / "frontends") not in asked) else ["other modules are asked for"]
    tally.check("zp sft", failures)


if __name__ == "__main__":
    sys.exit(tools.run_parts(__doc__, "install", Installed, dict(files=files, python=python, programs=programs, training=training, recipe=recipe)))

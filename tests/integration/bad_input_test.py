#!/usr/bin/env python3
"""Everything that a user can get wrong: each ends with its exit code and one coded line, in seconds, and leaves nothing
half-written under a final name.

    bad_input_test.py [--bin DIR] [--case NAME] [--only WORD]

The last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from support import pipeline
from support.golden_case import find_cases, spell_flags
from support.tools import Tally

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 20
LINE = re.compile(r"error\[ZP(\d{4})\] .+")


class Bench:
    """A golden case, compiled for one rank, whose parts a test may replace."""

    def __init__(self, chosen, work):
        self.case = find_cases(ROOT / "tests/golden/cases", [chosen.case])[0]
        self.bin, self.work, self.only = chosen.bin, work, chosen.only
        self.job = pipeline.Job(chosen.bin, 1, 3)
        self.number, self.tally = 0, Tally()
        for tool in ("zpc import", "zpc compile"):
            words = [str(w) for w in pipeline.commands(self.case, self.job, work)[tool]]
            done = subprocess.run(words, capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"{tool}: {done.stderr}")
        self.plan = work / "plan.fb"

    def copy(self, part):
        """A copy of the case's model or adapter folder, to be damaged."""
        self.number += 1
        return Path(shutil.copytree(self.case.folder / part, self.work / f"{part}{self.number}"))

    def file(self, name):
        self.number += 1
        return self.work / f"{self.number}-{name}"

    def train(self, plan=None, model=None, dataset=None, adapter=None, output=None, extra=()):
        self.out = output or self.file("out")
        words = [self.bin / "zprun", plan or self.plan, "--model", model or self.case.model]
        words += ["--dataset", dataset or self.case.tokens, "--output_dir", self.out]
        if adapter or self.case.adapter:
            words += ["--adapter_name_or_path", adapter or self.case.adapter]
        return words + list(extra)

    def importing(self, model=None, adapter=False, **flags):
        laid = {**pipeline.import_flags(self.case, self.job), **flags}
        words = [self.bin / "zpc", "import", "--model", model or self.case.model, *spell_flags(laid)]
        if adapter and self.case.adapter:
            words += ["--adapter_name_or_path", self.case.adapter]
        return [*words, "-o", self.file("model.mlir")]

    def expect(self, name, code, error, words, says="", before=None):
        """`error`: its number, or several that will do."""
        if self.only and self.only not in name:
            return
        start = time.monotonic()
        try:
            done = subprocess.run(
                [str(word) for word in words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SECONDS,
                preexec_fn=before,
            )
            failures = self.judge(done, code, error if isinstance(error, tuple) else (error,), says)
        except subprocess.TimeoutExpired:
            failures = [f"still running after {SECONDS} s"]
        self.tally.check(name, failures, f"{time.monotonic() - start:.1f} s")

    def judge(self, done, code, errors, says):
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        text = " | ".join(lines)[-400:]
        failures = []
        if done.returncode != code:
            failures.append(f"exit {done.returncode}, expected {code}")
        coded = [match for line in lines if (match := LINE.search(line))]
        if len(coded) != 1 or int(coded[0].group(1)) not in errors:
            failures.append(f"expected one line error[ZP{errors[0]}]")
        elif ";" not in coded[0].group(0):
            failures.append("the message names no fix")
        if says not in text:
            failures.append(f'expected "{says}"')
        out = getattr(self, "out", None)
        if out is not None and out.is_dir():
            left = [p.name for p in out.iterdir() if p.name != "metrics.jsonl"]
            if left:
                failures.append(f"left behind: {', '.join(left)}")
        return failures + ([f"it said: {text}"] if failures else [])


def checkpoint_files(bench):
    model = bench.copy("model")
    (model / "model.safetensors").unlink()
    bench.expect("weights missing", 4, 3001, bench.train(model=model), "model.safetensors")
    bench.expect("model directory missing", 4, 3001, bench.train(model="/nowhere"))

    model = bench.copy("model")
    whole = (model / "model.safetensors").read_bytes()
    for name, size in (("in its data", len(whole) - 100), ("in its header", 200), ("in its length", 5), ("to nothing", 0)):
        (model / "model.safetensors").write_bytes(whole[:size])
        bench.expect(f"weights truncated {name}", 4, 3003, bench.train(model=model))

    def altered(edit):
        folder = bench.copy("model")
        tensors = load_file(folder / "model.safetensors")
        edit(tensors)
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        return folder

    name = "model.layers.0.self_attn.q_proj.weight"
    shape = altered(lambda t: t.update({name: np.ascontiguousarray(t[name][:-1])}))
    bench.expect("weights of another shape", 4, 3005, bench.train(model=shape), name)
    dtype = altered(lambda t: t.update({name: t[name].astype(np.int32)}))
    bench.expect("weights of another dtype", 4, 3006, bench.train(model=dtype), name)
    absent = altered(lambda t: t.pop(name))
    bench.expect("weights without a tensor", 4, 3004, bench.train(model=absent), name)
    nan = altered(lambda t: t.update({name: np.full_like(t[name], np.nan)}))
    bench.expect("weights that are not numbers", 5, 4001, bench.train(model=nan), "step 1")

    model = bench.copy("model")
    (model / "model.safetensors").rename(model / "model-00001-of-00002.safetensors")
    shards = {tensor: "model-00001-of-00002.safetensors" for tensor in load_file(model / "model-00001-of-00002.safetensors")}
    index = model / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {**shards, name: "model-00002-of-00002.safetensors"}}))
    bench.expect("a shard missing", 4, 3001, bench.train(model=model), "model-00002-of-00002")
    index.write_text("{")
    bench.expect("an index that is no JSON", 4, 3002, bench.train(model=model))


def token_files(bench):
    def altered(edit):
        tokens = load_file(bench.case.tokens)
        edit(tokens)
        path = bench.file("tokens.safetensors")
        save_file(tokens, path)
        return path

    vocabulary = json.loads((bench.case.model / "config.json").read_text())["vocab_size"]

    def beyond(column):
        def edit(tokens):
            tokens[column][2, 3] = vocabulary

        return altered(edit)

    bench.expect("a token beyond the vocabulary", 4, 3010, bench.train(dataset=beyond("input_ids")), "input_ids[2][3]")
    bench.expect("a label beyond the vocabulary", 4, 3010, bench.train(dataset=beyond("labels")), "labels[2][3]")
    shorter = altered(lambda t: t.update({k: np.ascontiguousarray(v[:, :-2]) for k, v in t.items()}))
    bench.expect("rows of another length", 4, 3009, bench.train(dataset=shorter), "--max_length")
    bench.expect("a column missing", 4, 3009, bench.train(dataset=altered(lambda t: t.pop("segment_ids"))), "segment_ids")
    bench.expect("tokens missing", 4, 3001, bench.train(dataset="/nowhere.safetensors"))


def importing(bench):
    model = bench.copy("model")
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "architectures": ["GPT5"], "model_type": "gpt5"}))
    bench.expect("an unknown architecture", 2, 1004, bench.importing(model=model))
    bench.expect("an unknown target module", 2, 1005, bench.importing(lora_target_modules="no_proj"), "no_proj")
    limit = config["max_position_embeddings"]
    bench.expect("rows beyond the rope limit", 2, 1007, bench.importing(max_length=str(limit + 8)), str(limit))
    bench.expect("an unknown flag of zpc", 2, 1003, bench.importing(lora_rr="8"), "lora_r")
    (model / "config.json").write_text("{")
    bench.expect("a config that is no JSON", 4, 3002, bench.importing(model=model))
    (model / "config.json").unlink()
    bench.expect("a config missing", 4, 3001, bench.importing(model=model))


def command_line(bench):
    longest = "x" * 300
    bench.expect("a module of a name too long", 4, 3001, [bench.bin / "zpc", "compile", longest, "-o", "p.fb"], longest)
    bench.expect("a plan of a name too long", 4, 3001, [bench.bin / "zprun", longest, *bench.train()[2:]], longest)
    folder = bench.copy("model")
    (folder / "config.json").unlink()
    (folder / "config.json").mkdir()
    bench.expect("a directory for a file", 4, 3001, bench.importing(model=folder), "config.json")
    bench.expect("an unknown flag", 2, 1003, bench.train(extra=["--output_dirr", "x"]), "--output_dir?")
    bench.expect("a flag without its value", 2, 1001, [bench.bin / "zprun", bench.plan, "--model"])
    bench.expect("no data", 2, 1001, [bench.bin / "zprun", bench.plan, "--model", bench.case.model])
    bench.expect("a tokenizer that isn't there", 4, 3001, bench.train(extra=["--tokenizer", "/nonexistent"]), "has no file of a tokenizer")
    bench.expect("no ranks", 2, 1001, bench.train(extra=["-n", "0"]), "--num_processes: is 0, expected 1 or more")
    bench.expect("a plan for another world", 2, 1006, bench.train(extra=["-n", "3"]), "1 ranks, this job has 3")
    if bench.case.adapter:
        adapter = bench.copy("adapter")
        config = json.loads((adapter / "adapter_config.json").read_text())
        (adapter / "adapter_config.json").write_text(json.dumps({**config, "r": config["r"] * 2}))
        bench.expect("an adapter of another rank", 2, 1008, bench.train(adapter=adapter), "r is")
        bench.expect("an adapter missing", 4, 3001, bench.train(adapter="/nowhere"))


TYPED = re.compile(r"^ +(?:-\w,)?(--\w+)\S* (?:INT|UINT|FLOAT|BOOLEAN|SIZE|\w*:?\{)")


def every_flag(bench):
    """Each flag of each verb of zprun that takes a number, a truth value, a size or one of some words, by the help that names it."""
    if bench.only and bench.only not in "every flag":
        return
    tried, wrong = 0, []
    for verb in ([], ["eval"], ["generate"], ["bench"], ["merge"], ["quantize"], ["resize"]):
        told = subprocess.run([bench.bin / "zprun", *verb, "--help"], capture_output=True, text=True, check=True).stdout
        for flag in [match.group(1) for line in told.splitlines() if (match := TYPED.match(line))]:
            done = subprocess.run([bench.bin / "zprun", *verb, f"{flag}=perhaps?"], capture_output=True, text=True, timeout=SECONDS)
            lines, begins = done.stderr.splitlines(), f"error[ZP1001] {' '.join(['zprun', *verb])}: "
            good = done.returncode == 2 and len(lines) == 1 and lines[0].startswith(begins) and flag in lines[0] and ";" in lines[0]
            wrong += [] if good else [f"{' '.join([*verb, flag])}: exit {done.returncode}, {done.stderr[-200:]!r}"]
            tried += 1
    if tried < 60:
        wrong.append(f"{tried} flags were found in the help, expected 60 at least")
    bench.tally.check("every flag of zprun with a value of another type", wrong[:3], f"{tried} flags refused")


def damaged_plans(bench):
    whole = bench.plan.read_bytes()
    chance = random.Random(7)
    path = bench.file("plan.fb")
    bench.expect("no plan", 4, 3001, bench.train(plan="/nowhere.fb"))
    for size in (0, 7, 63, 64, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        bench.expect(f"a plan cut at {size}", 4, 3007, bench.train(plan=path))
    path.write_bytes(whole + b"\0")
    bench.expect("a plan with a byte too many", 4, 3007, bench.train(plan=path))
    places = [0, 5, 8, 12, 16, 24, 40, 64] + [chance.randrange(64, len(whole)) for _ in range(24)]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        bench.expect(f"a plan with byte {place} flipped", 4, (3007, 3008), bench.train(plan=path))


def resealed_plans(bench):
    """A flip under a right header may be harmless (a name, a rate); it may not crash, hang or end in an unknown way."""
    whole = bench.plan.read_bytes()
    chance = random.Random(11)
    path = bench.file("plan.fb")
    bad = []
    for _ in range(60):
        damaged = bytearray(whole)
        place = chance.randrange(64, len(whole))
        damaged[place] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        subprocess.run([bench.bin / "zp-reseal", path], check=True)
        try:
            done = subprocess.run(
                [str(w) for w in bench.train(plan=path, extra=["--dry_run"])], capture_output=True, text=True, errors="replace", timeout=SECONDS
            )
            if done.returncode not in (0, 2, 3, 4) or (done.returncode and not LINE.search(done.stderr)):
                bad.append(f"byte {place}: exit {done.returncode}, {done.stderr[-200:]}")
        except subprocess.TimeoutExpired:
            bad.append(f"byte {place}: hangs")
    bench.tally.check("60 plans resealed after a flip", bad[:3], "refused or harmless")


def disks(bench):
    blocker = bench.file("file")
    blocker.write_text("x")
    bench.expect("an output directory below a file", 7, 6001, bench.train(output=blocker / "out"))
    bench.expect("an output directory that can't be written", 7, 6001, bench.train(output=Path("/proc/zp-out")))
    full = bench.file("out")
    full.mkdir()
    (full / "metrics.jsonl").symlink_to("/dev/full")
    bench.expect("a full disk while training", 7, 6002, bench.train(output=full))

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))

    bench.expect("no room for the adapter", 7, 6002, bench.train(), "adapter_model.safetensors", before=small_files)


def locked_memory(bench):
    """A plan with weights in page-locked memory under a limit that is too small for them, on the emulated device, which locks."""
    job = pipeline.Job(bench.bin, 1, 3, import_flags={"offload_param_device": "cpu"}, compile_flags=["--target", "cuda"])
    work = bench.work / "locked"
    work.mkdir()
    for words in list(pipeline.commands(bench.case, job, work).values())[:2]:
        subprocess.run([str(word) for word in words], check=True, capture_output=True)
    if not (bench.bin / "zprun_emulated").exists():
        print("no zprun_emulated here: the limit on locked memory is left out")
        return
    # Root is above the limit as long as it may lock memory.
    apart = ["setpriv", "--bounding-set", "-ipc_lock", "--inh-caps", "-ipc_lock"] if os.geteuid() == 0 else []
    for kilobytes, code in ((8, 3), (8192, 0)):
        words = bench.train(plan=work / "plan.fb")
        words = [*apart, "sh", "-c", f'ulimit -l {kilobytes}; exec "$@"', "sh", bench.bin / "zprun_emulated", *words[1:]]
        if code:
            bench.expect("less locked memory than the plan needs", code, 2002, words, f"the limit on locked memory is {kilobytes << 10} bytes")
        elif not bench.only:
            done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
            bench.tally.check("enough locked memory", [f"exit {done.returncode}: {done.stderr[-200:]}"] if done.returncode else [])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "build/bin", help="folder of zpc and zprun")
    parser.add_argument("--case", default="llama_gqa_fp32")
    parser.add_argument("--only", default="", help="tests whose name holds this word")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bad-input-") as scratch:
        bench = Bench(chosen, Path(scratch))
        for group in (checkpoint_files, token_files, importing, command_line, every_flag, damaged_plans, resealed_plans, disks, locked_memory):
            group(bench)
    sys.exit(bench.tally.close())


if __name__ == "__main__":
    main()

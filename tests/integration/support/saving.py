"""Runs of golden cases that save and resume, and what a checkpoint's files have to be, read without our own code."""

import ctypes
import ctypes.util
import json
import re
import subprocess
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from . import pipeline, tools
from .golden_case import GoldenCase, find_cases

MANIFEST = "checkpoint.json"
STEPS = ("step", "loss", "grad_norm", "learning_rate", "num_tokens", "epoch")  # of a line, without how long it took


def xxh64(data):
    """16 hex digits, by the library that the build needs anyway; by the Python package on a machine that builds nothing."""
    path = ctypes.util.find_library("xxhash")
    if not path:
        import xxhash

        return xxhash.xxh64_hexdigest(data)
    library = ctypes.CDLL(path)
    library.XXH64.restype = ctypes.c_uint64
    return f"{library.XXH64(data, ctypes.c_size_t(len(data)), ctypes.c_uint64(0)):016x}"


class Bench:
    """Plans, made once each, and runs under them."""

    def __init__(self, chosen, work):
        self.chosen, self.work, self.plans, self.number = chosen, Path(work), {}, 0

    def case(self, name):
        """By name, or a case itself."""
        if isinstance(name, GoldenCase):
            return name
        return find_cases(tools.ROOT / "tests/golden/cases", [name])[0]

    def plan(self, name, ranks=1, stage=0, **flags):
        case = self.case(name)
        key = (case.folder, ranks, stage, tuple(sorted(flags.items())))
        if key not in self.plans:
            job = pipeline.Job(self.chosen.bin, ranks, stage, import_flags=flags, timeout=self.chosen.timeout)
            source = ["--model", case.model] + (["--adapter_name_or_path", case.adapter] if case.adapter else [])
            folder = self.work / f"plan{len(self.plans)}"
            self.plans[key] = tools.make_plan(
                self.chosen.bin, source, pipeline.import_flags(case, job), folder, self.chosen.timeout
            )
        return self.plans[key]

    def folder(self, label="out"):
        self.number += 1
        return self.work / f"{label}{self.number}"

    def words(self, name, ranks, plan, out, *flags, model=None, tokens=None):
        case = self.case(name)
        words = [self.chosen.bin / "zprun", plan, "--model", model or case.model]
        words += ["--adapter_name_or_path", case.adapter] if case.adapter else []
        words += [
            "--dataset",
            tokens or case.tokens,
            "--output_dir",
            out,
            "-n",
            ranks,
            "--quiet",
            *case.run_flags,
            *flags,
        ]
        return [str(word) for word in words]

    def run(self, words, expect=0, **how):
        """The finished process; StageFailed when it ended otherwise than expected."""
        try:
            done = subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=self.chosen.timeout,
                **how,
            )
        except subprocess.TimeoutExpired as late:
            raise pipeline.StageFailed("zprun", None, (late.stderr or b"").decode(errors="replace")) from late
        if done.returncode != expect:
            raise pipeline.StageFailed("zprun", done.returncode, done.stdout + done.stderr)
        return done

    def train(self, name, ranks, stage, *flags, out=None, import_flags=None, expect=0, **how):
        """The output folder of a whole run."""
        out = out or self.folder()
        self.run(
            self.words(name, ranks, self.plan(name, ranks, stage, **(import_flags or {})), out, *flags), expect, **how
        )
        return out


def checkpoints(out):
    """{step: folder} of what lies under final names."""
    found = {}
    for path in Path(out).glob("checkpoint-*"):
        if match := re.fullmatch(r"checkpoint-(\d+)", path.name):
            found[int(match[1])] = path
    return dict(sorted(found.items()))


def weights(out):
    """The bytes of what was trained."""
    names = [name for name in ("adapter_model.safetensors", "model.safetensors") if (Path(out) / name).is_file()]
    return (Path(out) / names[0]).read_bytes()


def steps(out):
    """metrics.jsonl without the seconds."""
    lines = (Path(out) / "metrics.jsonl").read_text().splitlines()
    return [{name: json.loads(line)[name] for name in STEPS} for line in lines]


def seal(body):
    body = {key: value for key, value in body.items() if key != "xxh64"}
    return xxh64(json.dumps(body, sort_keys=True, separators=(",", ":")).encode())


def damage(folder):
    """What is wrong with a checkpoint's files, by its manifest; empty when nothing is."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as problem:
        return [f"{folder.name}: {problem}"]
    wrong = [] if manifest["xxh64"] == seal(manifest) else [f"{folder.name}: the manifest has another seal"]
    there = {path.name for path in folder.iterdir()} - {MANIFEST}
    if there != set(manifest["files"]):
        wrong.append(f"{folder.name}: files {sorted(there)}, expected {sorted(manifest['files'])}")
    for name, entry in manifest["files"].items():
        data = (folder / name).read_bytes() if (folder / name).is_file() else b""
        if len(data) != entry["bytes"] or xxh64(data) != entry["xxh64"]:
            wrong.append(f"{folder.name}: {name} has other bytes")
    if folder.name != f"checkpoint-{manifest['progress']['step']}":
        wrong.append(f"{folder.name}: is of step {manifest['progress']['step']}")
    return wrong


def state_of(folder):
    """{kind: {parameter: array}} put together from all optimizer shards; refuses what overlaps."""
    pieces = {}
    for shard in sorted(folder.glob("optimizer-*.safetensors")):
        for key, values in load_file(shard).items():
            name, kind, first = key.rsplit("/", 2)
            pieces.setdefault(kind, {}).setdefault(name, []).append((int(first), values))
    whole = {}
    for kind, parameters in pieces.items():
        whole[kind] = {}
        for name, parts in parameters.items():
            parts.sort(key=lambda part: part[0])
            ends = [first + len(values) for first, values in parts]
            assert [first for first, _ in parts] == [0, *ends[:-1]], f"{name}: holes or overlaps"
            whole[kind][name] = np.concatenate([values for _, values in parts])
    return whole

#!/usr/bin/env python3
"""`zprun quantize` against directories that transformers and bitsandbytes saved (tests/golden/nf4/directories): file for file, bit for
bit; that import reads them. And what it refuses, without leaving anything behind.

    quantize_test.py [--bin DIR] [--only WORD]

The last line is 'N passed, M failed'. Exit 1 when any failed.
"""

import argparse
import filecmp
import json
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from support.golden_case import spell_flags
from support.tools import Tally

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "tests/golden/nf4/directories"
SECONDS = 60


class Tests:
    def __init__(self, chosen, work):
        self.zprun, self.work, self.only = chosen.bin / "zprun", work, chosen.only
        self.number, self.tally = 0, Tally()

    def folder(self):
        self.number += 1
        return self.work / str(self.number)

    def run(self, model, output, flags=(), before=None):
        words = [str(w) for w in (self.zprun, "quantize", "--model", model, "-o", output, *flags)]
        return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, preexec_fn=before)

    def wanted(self, name):
        return self.only in name

    def same(self, name, expected, output):
        """Both folders hold the same files with the same bytes."""
        want = {p.name for p in expected.iterdir()}
        have = {p.name for p in output.iterdir()} if output.is_dir() else set()
        failures = [f"{f} is missing" for f in sorted(want - have)] + [f"{f} is too much" for f in sorted(have - want)]
        failures += [f"{f} differs" for f in sorted(want & have) if not filecmp.cmp(expected / f, output / f, shallow=False)]
        self.tally.check(name, failures)

    def refused(self, name, code, error, says, model, output=None, flags=(), before=None):
        if not self.wanted(name):
            return
        output = output or self.folder()
        there = sorted(p.name for p in output.iterdir()) if output.is_dir() else None
        done = self.run(model, output, ["--quiet", *flags], before)
        lines = done.stderr.strip().splitlines()
        failures = []
        if done.returncode != code:
            failures.append(f"exit {done.returncode}, expected {code}")
        if len(lines) != 1 or not lines[0].startswith(f"error[ZP{error}] ") or says not in lines[0] or "; " not in lines[0]:
            failures.append(f'expected one line error[ZP{error}] with "{says}" and a fix')
        if (sorted(p.name for p in output.iterdir()) if output.is_dir() else None) != there:
            failures.append("something was left behind")
        self.tally.check(name, failures + ([f"it said: {done.stderr[-300:]}"] if failures else []))


def directories(tests):
    folders = sorted(path.parent for path in CASES.glob("*/case.json"))
    assert len(folders) >= 15, f"{CASES}: fixtures are missing"
    for folder in folders:
        if not tests.wanted(folder.name):
            continue
        spec = json.loads((folder / "case.json").read_text())
        output = tests.folder()
        done = tests.run(folder / spec["model"], output, spell_flags(spec["flags"]))
        if done.returncode:
            tests.tally.check(folder.name, [f"exit {done.returncode}: {done.stderr[-300:]}"])
            continue
        tests.same(folder.name, folder / "quantized", output)
        falcon = spec["model"].count("falcon") > 0
        noted = "note: " in done.stderr and "as transformers 4 writes" in done.stderr
        tests.tally.check(f"{folder.name}, what is said of it", [] if noted == falcon else [f"it said: {done.stderr[-300:]}"])


def read_back(tests):
    """What is written is a base: `zpc import` takes it as it is, in 4 bits."""
    for folder in sorted(path.parent for path in CASES.glob("*/case.json")):
        name, module = f"{folder.name}, imported", tests.folder().with_suffix(".mlir")
        if not tests.wanted(name):
            continue
        pair = json.loads((folder / "quantized/config.json").read_text()).get("is_encoder_decoder")
        lengths = ["--max_source_length", 12, "--max_target_length", 12] if pair else ["--max_length", 12]
        words = [tests.zprun.with_name("zpc"), "import", "--model", folder / "quantized", *lengths, "-o", module]
        done = subprocess.run([str(w) for w in words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
        good = done.returncode == 0 and "bnb_4bit_prequantized = true" in module.read_text()
        tests.tally.check(name, [] if good else [f"exit {done.returncode}: {done.stderr[-300:]}"])


def spelling_and_places(tests):
    """--torch_dtype, dashes and an output directory that holds an older model."""
    if not tests.wanted("into a directory"):
        return
    case = CASES / "llama_bf16"
    spec = json.loads((case / "case.json").read_text())
    output = tests.folder()
    output.mkdir()
    for name in ("model-00001-of-00002.safetensors", "config.json"):
        (output / name).write_text("old")
    flags = {"torch_dtype" if k == "dtype" else k.replace("_", "-"): v for k, v in spec["flags"].items()}
    done = tests.run(case / spec["model"], output, ["--quiet", *spell_flags(flags)])
    tests.tally.check("quiet is quiet", [f"it said: {done.stderr}{done.stdout}"] if done.stderr or done.stdout or done.returncode else [])
    tests.same("into a directory with an older model", case / "quantized", output)


def tokenizer(tests):
    """A model is moved with its tokenizer; what is written of the weights is the same."""
    if not tests.wanted("the tokenizer"):
        return
    model, output = copy_of(tests, "llama_bf16"), tests.folder()
    spec = json.loads((CASES / "llama_bf16" / "case.json").read_text())
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (model / name).write_text(f"of {name}")
    done = tests.run(model, output, ["--quiet", *spell_flags(spec["flags"])])
    failures = [] if done.returncode == 0 else [f"exit {done.returncode}: {done.stderr[-300:]}"]
    failures += [f"{name} isn't there" for name in ("tokenizer.json", "tokenizer_config.json") if not (output / name).exists() or (output / name).read_text() != f"of {name}"]
    tests.tally.check("the tokenizer", failures)


def copy_of(tests, case):
    spec = json.loads((CASES / case / "case.json").read_text())
    folder = tests.folder()
    shutil.copytree((CASES / case / spec["model"]).resolve(), folder)
    return folder


def altered(tests, edit, case="llama_bf16"):
    folder = copy_of(tests, case)
    tensors = load_file(folder / "model.safetensors")
    edit(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def configured(tests, **changes):
    folder = copy_of(tests, "llama_bf16")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))
    return folder


def refusals(tests):
    weight = "model.layers.1.mlp.up_proj.weight"

    def spoil(value):
        def edit(tensors):
            tensors[weight][3, 5] = value

        return edit

    tests.refused("quantized already", 4, 3013, "quantization_config: is there already", CASES / "llama_bf16/quantized")
    folder = tests.folder()
    shutil.copytree(CASES / "llama_bf16/quantized", folder)
    config = json.loads((folder / "config.json").read_text())
    del config["quantization_config"]
    (folder / "config.json").write_text(json.dumps(config))
    tests.refused("quantized already, and silent about it", 4, 3013, "self_attn.q_proj.weight: is quantized to nf4 already", folder,
                  flags=["--use_nested_quant", "true"])
    for nested in ("false", "true"):
        flags = ["--use_nested_quant", nested]
        tests.refused(f"not a number, nested {nested}", 5, 4001, f"tensor {weight}: element 125 of the flattened weight is not a number",
                      altered(tests, spoil(np.nan)), flags=flags)
        tests.refused(f"infinite, nested {nested}", 5, 4001, "is infinite", altered(tests, spoil(-np.inf)), flags=flags)
    tests.refused("a tensor missing", 4, 3004, weight, altered(tests, lambda t: t.pop(weight)))
    tests.refused("the head missing", 4, 3004, "lm_head.weight", altered(tests, lambda t: t.pop("lm_head.weight")))
    tests.refused("a norm missing", 4, 3004, "model.norm.weight", altered(tests, lambda t: t.pop("model.norm.weight")))
    cut = altered(tests, lambda t: t.update({weight: np.ascontiguousarray(t[weight][1:])}))
    tests.refused("another shape", 4, 3005, "shape is [51, 40], expected [52, 40] by config.json", cut)
    tests.refused("integers", 4, 3006, "dtype is I32", altered(tests, lambda t: t.update({weight: t[weight].astype(np.int32)})))
    tests.refused("another architecture", 2, 1004, "GPT5", configured(tests, architectures=["GPT5"]))
    tests.refused("no sizes", 2, 1002, "hidden_size: is -40", configured(tests, hidden_size=-40))
    tests.refused("a million layers", 2, 1002, "num_hidden_layers: is 1000000, expected at most 10000", configured(tests, num_hidden_layers=1000000))
    tests.refused("rope by layer", 2, 1002, "rope_parameters", configured(tests, rope_parameters={"full_attention": {"rope_theta": 1.0}}))
    tests.refused("a label that doesn't fit", 2, 1002, "float32 can't label the 450 bytes of model.layers.0.mlp.gate_proj.weight", narrow(tests),
                  flags=["--bnb_4bit_quant_storage_dtype", "float32"])
    folder = copy_of(tests, "llama_bf16")
    tests.refused("onto itself", 2, 1001, "is the model's own directory", folder, output=folder)
    (folder / "config.json").write_text('{"architectures": ["LlamaForCausalLM"], "x": ' + '{"a":' * 100000 + "1" + "}" * 100001)
    tests.refused("a config of 100,000 levels", 4, 3002, "config.json: nests deeper than 100 levels", folder)
    (folder / "config.json").write_text("{")
    tests.refused("a config that is no JSON", 4, 3002, "config.json", folder)
    (folder / "config.json").unlink()
    tests.refused("a config missing", 4, 3001, "config.json", folder)
    tests.refused("weights missing", 4, 3001, "model.safetensors", weightless(tests))
    model = copy_of(tests, "llama_bf16")
    tests.refused("an unknown type", 2, 1001, "bnb_4bit_quant_type", model, flags=["--bnb_4bit_quant_type", "nf5"])
    tests.refused("a negative size", 2, 1001, "--max_shard_size: -3 is negative", model, flags=["--max_shard_size", "-3"])
    tests.refused("an unknown flag", 2, 1003, "--use_nested_quant?", model, flags=["--use_nested_quants", "true"])
    blocker = tests.folder()
    blocker.write_text("x")
    tests.refused("below a file", 7, 6001, "out", model, output=blocker / "out")

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))

    tests.refused("no room", 7, 6002, "model.safetensors", model, before=small_files)


def narrow(tests):
    """A model whose MLP is 20 · 45: 450 bytes of codes, which two divides and four doesn't."""
    folder = configured(tests, hidden_size=20, intermediate_size=45, num_hidden_layers=1, num_key_value_heads=5)
    hidden, inner, heads, vocabulary = 20, 45, 40, 101
    shapes = {"self_attn.q_proj": (heads, hidden), "self_attn.k_proj": (heads, hidden), "self_attn.v_proj": (heads, hidden),
              "self_attn.o_proj": (hidden, heads), "mlp.gate_proj": (inner, hidden), "mlp.up_proj": (inner, hidden), "mlp.down_proj": (hidden, inner),
              "input_layernorm": (hidden,), "post_attention_layernorm": (hidden,)}
    tensors = {f"model.layers.0.{n}.weight": np.ones(s, np.float32) for n, s in shapes.items()}
    tensors |= {"model.embed_tokens.weight": np.ones((vocabulary, hidden), np.float32), "model.norm.weight": np.ones(hidden, np.float32),
                "lm_head.weight": np.ones((vocabulary, hidden), np.float32)}
    save_file(tensors, folder / "model.safetensors")
    return folder


def weightless(tests):
    folder = copy_of(tests, "llama_bf16")
    (folder / "model.safetensors").unlink()
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "build/bin", help="folder of zprun")
    parser.add_argument("--only", default="", help="tests whose name holds this word")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="quantize-") as scratch:
        tests = Tests(chosen, Path(scratch))
        for group in (directories, read_back, spelling_and_places, tokenizer, refusals):
            group(tests)
    sys.exit(tests.tally.close())


if __name__ == "__main__":
    main()

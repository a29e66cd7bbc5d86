#!/usr/bin/env python3
"""Training over weights that are quantised while they load, and over a directory that `zprun quantize` wrote of the same model: the same
adapters, bit for bit, on any number of ranks. And a directory of the other kind than the plan was made for is refused.

    quantize_training_test.py [--bin DIR]

The last line is 'N passed, M failed'. Exit 1 when any failed.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from support.tools import Tally

ROOT = Path(__file__).resolve().parents[2]
CASE = ROOT / "tests/golden/cases/llama_gqa_fp32"
IMPORT = ("--max_length 24 --per_device_train_batch_size 1 --max_steps 4 --learning_rate 0.01 --zero_stage 3 "
          "--stage3_param_persistence_threshold 0 --train_sampling_strategy sequential").split()
# name: (import flags beside the model's directory, flags of quantize)
FORMATS = {
    "nf4": ([], []),
    "nf4 nested bf16": (["--bf16", "--use_nested_quant", "true"], ["--use_nested_quant", "true", "--dtype", "bfloat16", "--bnb_4bit_compute_dtype",
                                                                "bfloat16", "--bnb_4bit_quant_storage_dtype", "bfloat16"]),
    "fp4 nested": (["--use_nested_quant", "true", "--bnb_4bit_quant_type", "fp4"], ["--use_nested_quant", "true", "--bnb_4bit_quant_type", "fp4"]),
}


class Runner:
    def __init__(self, bin, work):
        self.bin, self.work = bin, work
        self.tally = Tally()
        self.adapters = {}  # by format

    def run(self, tool, *words):
        return subprocess.run([str(w) for w in (self.bin / tool, *words)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)

    def must(self, tool, *words):
        done = self.run(tool, *words)
        if done.returncode:
            sys.exit(f"{tool} {words[0]}: exit {done.returncode}: {done.stderr[-500:]}")

    def plan(self, name, model, ranks, flags):
        module, plan = self.work / f"{name}.mlir", self.work / f"{name}.fb"
        self.must("zpc", "import", "--model", model, "--num_processes", ranks, *IMPORT, *flags, "-o", module)
        self.must("zpc", "compile", module, "-o", plan)
        return plan

    def train(self, plan, model, ranks, output):
        return self.run("zprun", plan, "--model", model, "--dataset", CASE / "tokens.safetensors", "--output_dir", output, "-n", ranks, "--quiet")

    def report(self, name, failure):
        self.tally.check(name, [failure] if failure else [])


def same_adapters(runner, name, loading, quantizing):
    floats, four = CASE / "model", runner.work / f"{name} 4-bit"
    runner.must("zprun", "quantize", "--model", floats, "-o", four, "--quiet", *quantizing)
    bf16 = [f for f in loading if f == "--bf16"]
    for ranks in (1, 2, 3):
        adapters = []
        for kind, model, flags in (("floats", floats, ["--use_4bit_quantization", "true", *loading]), ("codes", four, bf16)):
            plan, output = runner.plan(kind, model, ranks, flags), runner.work / f"{name} {ranks} {kind}"
            done = runner.train(plan, model, ranks, output)
            if done.returncode:
                runner.report(f"{name} on {ranks}", f"{kind}: exit {done.returncode}: {done.stderr[-300:]}")
                break
            adapters.append((output / "adapter_model.safetensors").read_bytes())
            other = four if kind == "floats" else floats
            refused = runner.train(plan, other, ranks, runner.work / "refused")
            said = refused.stderr.strip()
            right = refused.returncode == 4 and said.startswith("error[ZP3013] ") and "; " in said and "\n" not in said
            runner.report(f"{name} on {ranks}: a plan for {kind} refuses the other directory", "" if right else f"exit {refused.returncode}: {said[-300:]}")
        else:
            runner.report(f"{name} on {ranks}: the same adapters", "" if adapters[0] == adapters[1] else "they differ")
            runner.adapters[name] = adapters[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "build/bin", help="folder of zpc and zprun")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="quantize-training-") as scratch:
        runner = Runner(chosen.bin, Path(scratch))
        for name, (loading, quantizing) in FORMATS.items():
            same_adapters(runner, name, loading, quantizing)
        # Weights that a format doesn't change would make the same adapters too.
        runner.report("formats make different adapters", "" if len(set(runner.adapters.values())) == len(FORMATS) else "some are equal")
    sys.exit(runner.tally.close())


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""`--rematerialize auto`: the plan fits the budget, and one step less of recomputation would not; without a budget it takes the least.

    recomputation_test.py [--bin DIR]

For shapes of samples/configs and budgets between what they take with everything kept and with whole blocks recomputed. The last
line is 'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from support.tools import Tally

ROOT = Path(__file__).resolve().parents[2]
COMMON = "--lora_r 8 --lora_alpha 16 --lora_dropout 0.1 --bf16 true --num_processes 2 --per_device_train_batch_size 2".split()
# (shape, its blocks, target, flags, budgets as shares of the way from one kind of recomputation to the next)
SHAPES = [("llama-20m", 8, "cpu", [], [0.1, 0.9]), ("llama-2-70b", 80, "cuda", ["--use_4bit_quantization", "true"], [0.5])]
DOES_NOT_FIT = 3


class Compiler:
    def __init__(self, folder, shape, target, flags, work):
        self.zpc, self.shape, self.target, self.flags, self.work = str(folder / "zpc"), ROOT / "samples/configs" / shape, target, flags, work

    def run(self, rematerialize, blocks=-1, budget=None):
        """(exit code, what it said)"""
        model, plan = self.work / "model.mlir", self.work / "plan.fb"
        plan.unlink(missing_ok=True)
        subprocess.run([self.zpc, "import", "--model", str(self.shape), "--max_length", "1024", *COMMON, *self.flags, "--rematerialize",
                        rematerialize, "--rematerialize_blocks", str(blocks), "-o", str(model)], check=True, capture_output=True)
        limit = ["--memory_budget", str(budget)] if budget else []
        done = subprocess.run([self.zpc, "compile", str(model), "--target", self.target, *limit, "-o", str(plan)], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def peak(self):
        """Device bytes of the plan that was written last."""
        done = subprocess.run([self.zpc, "explain", str(self.work / "plan.fb"), "--memory", "--json"], check=True, capture_output=True, text=True)
        return json.loads(done.stdout)["spaces"]["device"]["peak_bytes"]

    def peak_of(self, rematerialize):
        code, said = self.run(rematerialize)
        assert code == 0, said
        return self.peak()

    def reserve(self):
        text = subprocess.run([self.zpc, "explain", str(self.work / "plan.fb"), "--memory"], check=True, capture_output=True, text=True).stdout
        return int(re.search(r"reserve, beside the plan: (\d+) bytes", text)[1])


def one_less(kind, first, blocks):
    """The amount of recomputation before (kind, the first so many blocks)."""
    if first > 1:
        return kind, first - 1
    return ("none", -1) if kind == "selective" else ("selective", blocks)


def check(compiler, blocks, budget, within):
    """What is wrong with the choice for a device of so many bytes beside the process's reserve `within`."""
    code, said = compiler.run("auto", budget=budget + within)
    if code:
        return [f"exit {code}: {said.strip()[-300:]}"]
    failures = []
    if compiler.peak() > budget:
        failures.append(f"takes {compiler.peak()} bytes, expected at most {budget}")
    found = re.search(r"rematerialize auto: (selective|block) in (?:all|the first (\d+) of) (\d+) blocks", said)
    if not found or int(found[3]) != blocks:
        return failures + [f"said {said.strip()[-200:]!r}, expected what is recomputed of {blocks} blocks"]
    kind, first = found[1], int(found[2] or blocks)
    code, _ = compiler.run(*one_less(kind, first, blocks), budget=budget + within)
    if code != DOES_NOT_FIT:
        failures.append(f"chose {kind} in {first} blocks, but one step less has exit {code} too, expected {DOES_NOT_FIT}")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "build/bin")
    arguments = parser.parse_args()
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="recomputation-") as work:
        for shape, blocks, target, flags, shares in SHAPES:
            compiler = Compiler(arguments.bin, shape, target, flags, Path(work))
            kept, some, least = (compiler.peak_of(kind) for kind in ("none", "selective", "block"))
            within = compiler.reserve()
            tally.check(f"{shape} saves", [] if kept > some > least else [f"{kept}, {some}, {least} bytes don't descend"], f"{kept}, {some}, {least} bytes")
            for more, less in ((kept, some), (some, least)):
                for share in shares:
                    budget = int(more + share * (less - more))
                    tally.check(f"{shape} in {budget} bytes", check(compiler, blocks, budget, within), "one step less doesn't fit")
            code, said = compiler.run("auto", budget=kept + within)
            tally.check(f"{shape} with room", [] if code == 0 and compiler.peak() == kept else [f"exit {code}, expected nothing recomputed"])
            code, said = compiler.run("auto", budget=least // 2 + within)
            tally.check(f"{shape} without room", [] if code == DOES_NOT_FIT else [f"exit {code}: {said.strip()[-200:]}, expected {DOES_NOT_FIT}"])
            code, said = compiler.run("auto")
            told = f"block in all {blocks} blocks" in said
            tally.check(f"{shape} without a budget", [] if code == 0 and told and compiler.peak() == least else [f"exit {code}, said {said.strip()[-200:]!r}"])
    return tally.close()


if __name__ == "__main__":
    sys.exit(main())

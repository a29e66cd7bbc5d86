#!/usr/bin/env python3
"""Three compiled plans are broken in the ways a planner could break them: the verifier must find every break that matters.

    mutation_test.py [--bin DIR] [--mutants N] [--seed N]

The plans: LoRA under ZeRO-3 with prefetch, QLoRA with everything offloaded to disk, all parameters under ZeRO-2 with recomputation
and offload to host memory. Kinds of mutants: an event removed, a buffer's offset moved, two collectives swapped, a buffer's life
shortened. What `zpc check` would take is run under adversarial stream orders, and must do what the unmutated plan does, to the
bit (tests/mutation). --mutants is of each kind, over the three plans; the full proof is --mutants 1000. Prints a table.
The last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from support import pipeline, tools
from support.golden_case import GoldenCase

ROOT = tools.ROOT
LAYERS = 6
EVERYTHING = ("param", "optimizer", "activation")

PLANS = {
    "lora_zero3": ("llama_gqa_fp32", 3, {}),
    "qlora_zero3_nvme": ("llama_qlora_nested", 3, {f"offload_{what}_device": "nvme" for what in EVERYTHING}),
    "full_zero2_recomputed_cpu": ("llama_full", 2, {"rematerialize": "block", **{f"offload_{what}_device": "cpu" for what in ("optimizer", "activation")}}),
}


def deeper(case, folder):
    """The case's model with more blocks: more collectives and events to break. Nothing reads its weights."""
    config = json.loads((case.model / "config.json").read_text())
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": LAYERS}))
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tools.add_arguments(parser)
    parser.add_argument("--mutants", type=int, default=300, help="of each kind, over the three plans")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mutation-") as scratch:
        work = arguments.work_dir or Path(scratch)
        disk = work / "disk"
        disk.mkdir(parents=True, exist_ok=True)
        plans = []
        for name, (case_name, stage, flags) in PLANS.items():
            case = GoldenCase(ROOT / "tests/golden/cases" / case_name)
            job = pipeline.Job(bin=arguments.bin, ranks=2, zero_stage=stage, import_flags={"nvme_path": str(disk), **flags})
            model = deeper(case, work / name / "model")
            plans.append(tools.make_plan(arguments.bin, ["--model", model], pipeline.import_flags(case, job), work / name, arguments.timeout))
        command = [str(word) for word in (arguments.bin.parent / "tests/bin/plan_mutations", *plans, "--seed", arguments.seed, "--disk", disk)]
        control = subprocess.run([*command, "--mutants", "30", "--control"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        print(f"{'FAIL' if control.returncode else 'PASS'} the judge sees plans that lack an instruction", flush=True)
        if control.returncode:
            print(control.stdout)
        proof = subprocess.run([*command, "--mutants", str(arguments.mutants)]).returncode
        return proof or control.returncode


if __name__ == "__main__":
    sys.exit(main())

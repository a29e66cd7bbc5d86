#!/usr/bin/env python3
"""Makes the golden cases with PEFT on PyTorch (README.md: environment and versions).

generate.py [--case NAME ...] [--output DIR]     writes DIR/NAME for each case, default tests/golden/cases
generate.py --check                              runs the reference on the committed inputs and compares its results
"""

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
os.environ.update(OMP_NUM_THREADS="1", HF_HUB_OFFLINE="1", CUDA_VISIBLE_DEVICES="", TRANSFORMERS_VERBOSITY="error")

from safetensors.torch import load_file, save_file  # noqa: E402
from transformers.utils import logging  # noqa: E402

from integration.support.golden_case import GoldenCase  # noqa: E402
from reference import build, checks  # noqa: E402
from reference.cases import CASES  # noqa: E402
from reference.job import Result  # noqa: E402


def generate(spec, output):
    folder, draft = output / spec.name, output / f".{spec.name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    build.write(spec, draft)
    case = GoldenCase(draft)
    result = checks.reference(spec)(case)
    (draft / "expected.json").write_text(json.dumps({"steps": result.steps}, indent=1) + "\n")
    save_file(result.final, draft / "expected.safetensors")
    if not case.adapter and not case.trains_everything:
        save_file(result.initial, draft / "initial.safetensors")
    failures, figures = checks.check(spec, case, result)
    print(f"{spec.name}: {figures}", flush=True)
    for failure in failures:
        print(f"  FAILS: {failure}", flush=True)
    if not failures:
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    return not failures


def recheck(spec, output):
    case = GoldenCase(output / spec.name)
    result = checks.reference(spec)(case)
    stored = Result(case.expected_steps(), result.initial, load_file(case.folder / "expected.safetensors"))
    found = checks.gaps(stored, result)
    print(f"{spec.name}: " + " ".join(f"{name} {value:.1e}" for name, value in found.items()), flush=True)
    return all(found[name] < case.tolerance[name] / 4 for name in found)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--case", action="append", default=[])
    arguments.add_argument("--output", type=Path, default=HERE / "cases")
    arguments.add_argument("--check", action="store_true")
    chosen = arguments.parse_args()
    logging.disable_progress_bar()
    chosen.output.mkdir(parents=True, exist_ok=True)
    act = recheck if chosen.check else generate
    done = [act(spec, chosen.output) for spec in CASES if not chosen.case or spec.name in chosen.case]
    sys.exit(0 if done and all(done) else 1)


if __name__ == "__main__":
    main()

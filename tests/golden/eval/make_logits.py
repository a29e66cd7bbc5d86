#!/usr/bin/env python3
"""Makes the logits that tests/integration/eval_test.py holds `zprun eval` to, with PEFT on PyTorch (README.md).

make_logits.py [--case NAME ...]     writes NAME.safetensors beside this file

It holds `adapter_on` and `adapter_off`, fp32 [rows, length, vocabulary].
"""

import argparse
import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1])]
os.environ.update(HF_HUB_OFFLINE="1", CUDA_VISIBLE_DEVICES="", TRANSFORMERS_VERBOSITY="error")

import torch  # noqa: E402
from integration.support.golden_case import find_cases  # noqa: E402
from reference.job import Job  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

CASES = ["llama_gqa_fp32", "qwen2_packed", "mistral_window"]
ROWS = 2


def logits_of(case, rows):
    """{adapter_on, adapter_off}: the reference's own way to hold a case's rows (documents isolated), in evaluation mode."""
    job = Job(case)
    model = job.model.eval()
    inputs = {name: value for name, value in job.rows(list(range(rows))).items() if name != "labels"}
    with torch.no_grad():
        on = model(**inputs).logits
        with model.disable_adapter():
            off = model(**inputs).logits
    return {"adapter_on": on.float().contiguous(), "adapter_off": off.float().contiguous()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", default=[])
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    for case in find_cases(HERE.parent / "cases", chosen.case or CASES):
        versions = json.loads((case.folder / "case.json").read_text())["versions"]
        tensors = logits_of(case, ROWS)
        save_file(tensors, HERE / f"{case.name}.safetensors", metadata={"case_versions": json.dumps(versions)})
        on, off = tensors["adapter_on"], tensors["adapter_off"]
        apart = ((on - off).abs().max() / on.abs().max()).item()
        print(f"{case.name}: {tuple(on.shape)}, on and off differ by {apart:.2f} of the largest logit")


if __name__ == "__main__":
    main()

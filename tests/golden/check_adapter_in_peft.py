#!/usr/bin/env python3
"""Trains adapters with zprun, opens them with PeftModel.from_pretrained and compares the fp32 logits of both; trains all
parameters, saved in several files, and opens the directory with transformers. Needs PEFT (README.md: environment), so it isn't
among tests/run.sh's; eval_test.py holds the same figures to committed logits.

    check_adapter_in_peft.py [--bin DIR] [--case NAME ...] [--ranks N]

A line a check; the last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "integration")]
os.environ.update(OMP_NUM_THREADS="1", HF_HUB_OFFLINE="1", CUDA_VISIBLE_DEVICES="", TRANSFORMERS_VERBOSITY="error")

import torch  # noqa: E402
from eval_test import ROWS, TOLERANCE, apart, compare, expect_moved, write_logits  # noqa: E402
from peft import PeftModel  # noqa: E402
from reference.job import Job, load_base  # noqa: E402
from safetensors.numpy import load_file  # noqa: E402
from support import pipeline, tools  # noqa: E402
from support.golden_case import find_cases  # noqa: E402
from transformers import AutoModelForCausalLM  # noqa: E402

# A bf16 run would compare bf16's rounding; full-parameter runs write no adapter.
CASES = [
    "llama_gqa_fp32",
    "llama_bias_all",
    "llama_modules_to_save",
    "llama_qv_r4",
    "llama_tied_rope3",
    "llama_trainer",
    "mistral_window",
    "qwen2_packed",
    "qwen3_patterns",
    "llama_qlora",
    "llama_qlora_prequantised",
    "qwen2_qlora_fp4_nested",
]


def logits_in_peft(case, adapter):
    """{adapter_on, adapter_off} of the adapter that zprun wrote; off is the base model alone (disable_adapter() leaves
    trained biases in place)."""
    job = Job(case)
    inputs = {name: value for name, value in job.rows(list(range(ROWS))).items() if name != "labels"}
    base = load_base(case, job.settings, "eager", torch.float32).eval()
    with torch.no_grad():
        off = base(**inputs, use_cache=False).logits.numpy()
        on = PeftModel.from_pretrained(base, str(adapter)).eval()(**inputs, use_cache=False).logits.numpy()
    return {"adapter_on": on, "adapter_off": off}


def whole_models(chosen, work, tally):
    """What zero3_save_16bit_model is for: files of a model that transformers opens by their index."""
    for case in find_cases(HERE / "cases", ["llama_full", "llama_full_tied"]):
        label, place = f"{case.name} of several files", work / f"{case.name}-files"
        job = pipeline.Job(chosen.bin, chosen.ranks, 3, run_flags=["--max_shard_size", "30000"], timeout=chosen.timeout)
        out = pipeline.run(case, job, place)
        files = sorted(out.glob("model-*-of-*.safetensors"))
        model = AutoModelForCausalLM.from_pretrained(str(out), attn_implementation="eager", dtype=torch.float32).eval()
        inputs = {name: value for name, value in Job(case).rows(list(range(ROWS))).items() if name != "labels"}
        with torch.no_grad():
            theirs = model(**inputs, use_cache=False).logits.numpy()
        logits = {}
        for name, source in (("trained", out), ("base", case.model)):
            words = ["--model", source, "--dataset", case.tokens, "-n", chosen.ranks, "--logits", place / name, "--rows", ROWS]
            tools.call([chosen.bin / "zprun", "eval", place / "plan.fb", *words, "--quiet"], chosen.timeout)
            logits[name] = load_file(place / name)["logits"]
        real = load_file(case.tokens)["segment_ids"][:ROWS] >= 0
        away = apart(logits["trained"], theirs, real)
        failures = [] if away <= TOLERANCE else [f"{away:.1e} of the largest logit from transformers', expected {TOLERANCE:.0e}"]
        failures += [] if len(files) > 2 else [f"{len(files)} files, expected several"]
        tally.check(label, failures, f"{len(files)} files, {away:.1e} of the largest logit from transformers'")
        expect_moved(tally, f"{label}, trained", apart(logits["trained"], logits["base"], real))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tools.add_arguments(parser)
    parser.add_argument("--case", action="append", default=[])
    parser.add_argument("--ranks", type=int, default=2)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    tally = tools.Tally()
    with tempfile.TemporaryDirectory(prefix="peft-") as scratch:
        for case in find_cases(HERE / "cases", chosen.case or CASES):
            work = (chosen.work_dir or Path(scratch)) / case.name
            try:
                out = pipeline.run(case, pipeline.Job(chosen.bin, chosen.ranks, 3, timeout=chosen.timeout), work)
                ours = write_logits(chosen, case, work / "plan.fb", out, work, chosen.ranks)
            except pipeline.StageFailed as problem:
                tally.check(case.name, [str(problem)])
                continue
            real = load_file(case.tokens)["segment_ids"][:ROWS] >= 0
            compare(tally, case.name, ours, logits_in_peft(case, out), real)
        if not chosen.case:
            whole_models(chosen, chosen.work_dir or Path(scratch), tally)
    sys.exit(tally.close())


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Stands for the programs of a GPU machine, by the name it is called with, so that run.sh's rows can be rehearsed without one (rehearsal.py).

STAND_IN says how: `good`, a GPU that keeps every promise, with plans run by zprun_emulated; `bad`, one that breaks them all and runs nothing.
STAND_IN_BIN: folder of the real zprun_emulated. STAND_IN_FILES: where stand-ins leave what others of them have to know.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

GOOD = os.environ.get("STAND_IN") == "good"
FILES = Path(os.environ.get("STAND_IN_FILES", "/nonexistent"))
RATES = {"llama-2-7b-whole": 20000, "llama-2-70b-qlora": 1300, "llama-2-70b-host": 1250}  # tokens a second, else 13000


def compute_sanitizer(words):
    if "--help" in words:
        print("--kernel-regex")
    else:
        print(f"========= ERROR SUMMARY: {0 if GOOD else 3} errors")
    return 0 if GOOD or "--help" in words else 1


def conformance(words):
    time.sleep(float(os.environ.get("STAND_IN_SECONDS", 0)))
    print("[  PASSED  ] 1 test." if GOOD else " 1 FAILED TEST")
    return 0 if GOOD else 1


def cuda_rates(words):
    if GOOD and not words:
        return 2  # a rehearsal asks the real one, which is emulated
    print(json.dumps({"gpu": "stand-in", "matmul_flops_per_second": 8e14, "copy_bytes_per_second": 4e12, "dequantize_bytes_per_second": 2e12,
                      "dequantize_in_panels_bytes_per_second": 2e12}))
    return 0


def python(words):
    """PyTorch's interpreter: PEFT is half as fast as we are where we are good, and as fast where we aren't."""
    if not words or not words[0].endswith("peft_step.py"):
        os.execv(sys.executable, [sys.executable, *words])
    lines = [{"versions": "torch 0, peft 0"}, {"way": "cuDNN attention", "failed": "no such backend"},
             {"way": "flash attention", "tokens_per_second": 6500 if GOOD else 13000, "loss": 1.0}]
    if "--four_bit" in words and GOOD:
        lines = [{"left_out": "no bitsandbytes"}]
    print("a package prints", *map(json.dumps, lines), sep="\n")
    return 0


def refuse(code, number, text):
    print(f"error[ZP{number}] cuda: {text}, expected another; do otherwise", file=sys.stderr)
    return code


def bench(words):
    """The emulated run's report with what a GPU's has: rates, which mean nothing there, and cuDNN."""
    report = {"loss": None, "flops_per_step": 1e12, "init_seconds": 1.0, "startup_seconds": 20.0, "first_step_seconds": 3.0, "steps": 10,
              "step_seconds": 8.0, "tokens_per_second": 1000.0, "attention": "own: a stand-in"}
    time.sleep(0.4)  # long enough to be looked at
    if GOOD:
        done = subprocess.run([Path(os.environ["STAND_IN_BIN"]) / "zprun_emulated", *words[:2], "--warm_up", "1", "--steps", "1"], capture_output=True, text=True)
        if done.returncode:
            print(done.stderr, file=sys.stderr)
            return done.returncode
        report = json.loads(done.stdout)
        report["tokens_per_second"] = RATES.get(Path(words[1]).stem, 13000)
        report["step_seconds"] = 1.0
        report["attention"] = "cuDNN"  # the emulated one's is our own
    print(json.dumps(report))
    return 0


def replay(words):
    """A golden run's reference as the run's output: golden_test.py runs them by zprun_emulated elsewhere."""
    from safetensors.numpy import load_file, save_file

    case, out = Path(words[words.index("--dataset") + 1]).parent, Path(words[words.index("--output_dir") + 1])
    out.mkdir(parents=True)
    steps = json.loads((case / "expected.json").read_text())["steps"]
    (out / "metrics.jsonl").write_text("".join(json.dumps(step) + "\n" for step in steps))
    save_file(load_file(case / "expected.safetensors"), out / "adapter_model.safetensors")
    return 0


def train(words):
    """The emulated run; with a driver that fails, until it does."""
    if "--save_steps" not in words:
        return replay(words)
    emulated = str(Path(os.environ["STAND_IN_BIN"]) / "zprun_emulated")
    if os.environ.get("ZP_DRIVER_FAULT") not in ("trap", "ecc"):
        os.execv(emulated, [emulated, *words])
    run = subprocess.Popen([emulated, *words])
    while run.poll() is None and not Path(os.environ["ZP_DRIVER_FAULT_WHEN"]).exists():
        time.sleep(0.02)
    run.kill()
    run.wait()
    return refuse(1, 9001, "a kernel's launch failed")


def zprun(words):
    if not GOOD:
        return bench(words) if words[0] == "bench" and "faults-" not in words[1] else 1
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "" or os.environ.get("ZP_DRIVER_FAULT") == "old" or "faults-" in os.environ.get("LD_LIBRARY_PATH", ""):
        return refuse(2, 1002, "no usable GPU")
    if words[0] != "bench":
        return train(words)
    if words[1].endswith("large.fb") or ("faults-" in words[1] and (FILES / "held").exists()):
        return refuse(3, 2003, "the plan needs more than is free")
    return bench(words)


NAMES = {"compute-sanitizer": compute_sanitizer, "cuda_conformance_test": conformance, "cuda_rates": cuda_rates, "peft-python": python,
         "zprun": zprun}

if __name__ == "__main__":
    sys.exit(NAMES[sys.argv[1]](sys.argv[2:]))

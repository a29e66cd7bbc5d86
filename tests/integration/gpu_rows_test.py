#!/usr/bin/env python3
"""tests/gpu/run.sh rehearsed without a GPU, by stand-ins (tests/gpu/stand_in.py), so that its rows run on the first GPU that they meet.

    gpu_rows_test.py [--bin DIR]

- On a GPU that keeps its promises every row of every step passes: plans are made, run by zprun_emulated, broken, killed and resumed. A row
  that can't be tried says so and is counted apart.
- On one that breaks them all every row that it can break fails, with what is wrong; none stops those after it.
- Ended by a signal, or out of time, the script still prints the table.
- On a machine without zpc, what it said elsewhere takes its place.
The last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import re
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support import tools

sys.path.append(str(tools.ROOT / "tests/gpu"))
import rehearsal  # noqa: E402: the folder is named above

SMALL = {"LENGTH": "16", "CASES": "llama_gqa_fp32", "PATIENCE": "10"}
# Of a GPU that breaks all promises: what the table's row has to say. Other rows fail by a tool's exit code.
COMPLAINTS = {
    "NF4 dequantisation": "0.500 of the copy bandwidth, .*: below 0.85",
    "llama-2-7b LoRA, checkpointed": "the loss is not a number; more memory than planned and 1.5 GB; below 12500 tokens/s; attention is our own kernels'",
    "llama-2-7b LoRA, start-up besides weights": "23.0 s .*: not below 10 s",
    "llama-2-7b LoRA, no memory taken after step 1": "bytes taken meanwhile",
    "llama-2-7b LoRA, weights on the host": "1.000 of llama-2-7b-lora: the loss is not a number",
    "llama-2-7b LoRA beside PEFT": r"0.077 times PEFT \(1000 to 13000 tokens/s\), .*: below 1.5",
    "llama-2-70b QLoRA nested": "below 1200 tokens/s",
    "llama-2-70b QLoRA, everything on the host": "more memory than 4.5 GB",
    "no driver": "no GPU to be seen: exit 1, expected 2",
    "a plan for a larger GPU": "exit 1, expected 3",
    "memory held by another process": "nothing is held",
    "two ranks on the GPU, one lost: killed": "no checkpoint",
}
# The fake says nothing of these, whose promise is of two numbers of its own.
UNBROKEN = ("matmul peak", "QLoRA nested, checkpointed", "golden")
DRIVER = """
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
int cuInit(unsigned f) { return 0; }
int cuDeviceGet(int *d, int n) { return 0; }
int cuDevicePrimaryCtxRetain(void **c, int d) { return 0; }
int cuCtxSetCurrent(void *c) { return 0; }
int cuMemGetInfo_v2(size_t *free, size_t *total) { return *free = *total = (size_t)8 << 30, 0; }
int cuMemAlloc_v2(unsigned long long *p, size_t n) {
  char path[4096];
  snprintf(path, sizeof path, "%s/held", getenv("STAND_IN_FILES"));
  return fclose(fopen(path, "w"));
}
int cuDriverGetVersion(int *v) { return *v = 13000, 0; }
"""


def rows(text):
    """{name: (verdict, what it says)} of the table, which is last."""
    found = re.findall(r"^(ok|FAIL|left) +(.+?) +\d+ s  ?(.*)$", text[text.rindex("\n20") :], re.MULTILINE)
    return {name.strip(): (verdict, said) for verdict, name, said in found}


def good_gpu(chosen, tally, work):
    stage = rehearsal.Rehearsal(chosen.bin, work / "good", good=True)
    source, library = work / "driver.c", work / "driver/libcuda.so.1"
    source.write_text(DRIVER)
    library.parent.mkdir()
    tools.call(["cc", "-shared", "-fPIC", "-w", source, "-o", library], chosen.timeout)
    more = {**SMALL, "SHAPES": work / "shapes", "RATES": f"{chosen.bin.parent / 'tests/bin/cuda_rates_emulated'} --small",
            "LD_LIBRARY_PATH": library.parent, "RESULTS": work}
    start = time.monotonic()
    steps = [step for step in rehearsal.STEPS if step != "llama-3-8b"]  # its rows are those of bench and peft
    done = subprocess.run(stage.command(*steps), env=stage.environment(**more), capture_output=True, text=True, timeout=chosen.timeout)
    found = rows(done.stdout)
    for name, (verdict, said) in found.items():
        right = verdict == ("left" if "bitsandbytes" in name else "ok")
        # Rates of an emulated device mean nothing: that row may say that it is too slow.
        right |= name == "NF4 dequantisation" and "below" in said
        tally.check(f"a good GPU: {name}", [] if right else [f"{verdict} {said}"], said)
    last = done.stdout.strip().splitlines()[-1:]
    kept = (work / "table.txt").read_text()
    tally.check("a good GPU: the last line and the kept table", [] if last and "1 left out" in last[0] and all(name in kept for name in found) else [f"{last} {done.stderr[-300:]}"],
                f"{len(found)} rows in {time.monotonic() - start:.0f} s")


def bad_gpu(chosen, tally, work):
    stage = rehearsal.Rehearsal(chosen.bin, work / "bad", good=False)
    more = {**SMALL, "SHAPES": work / "shapes"}
    done = subprocess.run(stage.command(*rehearsal.STEPS), env=stage.environment(**more), capture_output=True, text=True, timeout=chosen.timeout)
    found = rows(done.stdout)
    passed = [name for name, (verdict, _) in found.items() if verdict != "FAIL" and not any(word in name for word in UNBROKEN)]
    tally.check("a bad GPU: rows fail", [f"{name} passed" for name in passed] or ([] if done.returncode == 1 else [f"exit {done.returncode}"]))
    for name, words in COMPLAINTS.items():
        said = found.get(name, ("", "no such row"))[1]
        tally.check(f"a bad GPU: {name}", [] if re.search(words, said) else [f'"{said}", expected "{words}"'], said)


def cut_short(chosen, tally, work):
    stage = rehearsal.Rehearsal(chosen.bin, work / "slow", good=True)
    more = {**SMALL, "RATES": stage.folder / "nothing", "STAND_IN_SECONDS": "30"}
    stage.stand(stage.folder / "nothing", Path("/bin/false"))
    running = subprocess.Popen(stage.command("kernels"), env=stage.environment(**more), stdout=subprocess.PIPE, text=True)
    while (line := running.stdout.readline()) and "== kernels" not in line:
        pass
    running.send_signal(signal.SIGTERM)
    text = running.communicate(timeout=chosen.timeout)[0]
    tally.check("ended by a signal: the table", [] if re.search(r"^FAIL kernels against references .*cut short", text, re.MULTILINE) and re.search(r"0 passed, 3 failed", text) else [text[-500:]])
    done = subprocess.run(stage.command("kernels"), env=stage.environment(**{**more, "MOST": "1"}), capture_output=True, text=True, timeout=chosen.timeout)
    tally.check("out of time: the rows that are left", [] if "not done in time: no time was left" in done.stdout and "0 passed, 4 failed" in done.stdout else [done.stdout[-500:]])


def kept_calls(chosen, tally, work):
    """What tests/gpu/pack.py takes to a machine without zpc."""
    stage = rehearsal.Rehearsal(chosen.bin, work / "kept", good=False)
    stage.stand(stage.folder / "bin/zpc", tools.ROOT / "tests/gpu/kept_zpc.py")

    def call(output, length, **more):
        words = [sys.executable, stage.folder / "bin/zpc", "import", "--model", work / "shapes/llama-20m", "--max_length", length, "-o", work / output]
        done = subprocess.run([str(word) for word in words], env=stage.environment(**more), capture_output=True, text=True, timeout=chosen.timeout)
        return done.returncode, done.stdout, (work / output).read_bytes() if (work / output).exists() else b""

    real, kept, unknown = call("real.mlir", 16, ZPC=chosen.bin / "zpc"), call("kept.mlir", 16), call("unknown.mlir", 8)
    tally.check("a kept call of zpc says and writes the same", [] if real[0] == 0 and real[2] and kept == real else [f"{real[:2]}, then {kept[:2]}"])
    tally.check("a call that was not kept is refused", [] if unknown[0] == 2 and not unknown[2] else [f"exit {unknown[0]}"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tools.add_arguments(parser, timeout=900)
    chosen = parser.parse_args()
    chosen.bin = chosen.bin.resolve()
    tally = tools.Tally()
    with tempfile.TemporaryDirectory(prefix="gpu-rows-") as scratch:
        work = chosen.work_dir or Path(scratch)
        rehearsal.write_shapes(work / "shapes")
        with ThreadPoolExecutor(3) as pool:  # each mostly waits for its own programs
            for part in [pool.submit(part, chosen, tally, work) for part in (good_gpu, bad_gpu, cut_short, kept_calls)]:
                part.result()
    return tally.close()


if __name__ == "__main__":
    sys.exit(main())

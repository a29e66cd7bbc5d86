#!/usr/bin/env python3
"""What plans of the released shapes take and move, from config.json alone: `zpc explain` against bounds.

    plan_memory_test.py [--bin DIR]

- Llama-2-70B and Falcon-180B on a CUDA target, rows of 2048, r 8 on all linears, dropout 0.1, blocks recomputed: peak device and host bytes lie
  between what the mathematics needs (below it something was forgotten) and what is wasteful.
- The 4-bit plan of Llama-2-70B on a CUDA target has no frozen linear as floats: `explain --memory` says so, and where a product takes
  its tiles of the weight, their workspace is at most 64 MiB.
- 4-bit plans gather at least 3.8 times fewer bytes of frozen linears than bf16 plans, 3.75 times fewer in all.
- Floats that are kept of 4-bit weights (`--dequant_cache_bytes`) take what was set aside for them, but for less than a weight and a panel; under
  ZeRO-3 on two ranks, where weights are gathered, at most those of a block, which its two products share.
- The guide's other two runs with ZeRO-3 and CPU offload on one GPU: bart-large in fp32, batch 8, below what the guide prints for it, before
  training and at its peak; mt0-xxl, which has 13 billion parameters, on a card of 24 GB.
- For every shape in samples/configs, with and without 4 bits: whatever is offloaded, to host memory or disk, the device peak is
  lower; the arena has at most 2 % more than what lives at once. Frozen weights that are offloaded are read by copies alone, and by
  nothing but `init` written.
The last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.tools import Tally

ROOT = Path(__file__).resolve().parents[2]
COMMON = ("--lora_r 8 --lora_alpha 16 --lora_target_modules all-linear --lora_dropout 0.1 --bf16 true --zero_stage 3 "
          "--rematerialize block").split()
FOUR_BIT = "--use_4bit_quantization true --use_nested_quant true".split()
QLORA = "--num_processes 2 --per_device_train_batch_size 2 --gradient_accumulation_steps 2".split() + FOUR_BIT
EVERYTHING = "--offload_param_device {0} --offload_optimizer_device {0} --offload_activation_device {0}"
GB = 1e9
# (shape, what, flags, space, its ranks together, floor, bar): of the guide's two runs on Llama-2-70B; Falcon-180B on 16 cards of 80 GB, whose
# driver leaves 83.7 to a plan.
PEAKS = [
    ("llama-2-70b", "QLoRA", QLORA, "device", 1, 24.5, 28.0),
    ("llama-2-70b", "QLoRA, activations offloaded", QLORA + "--offload_activation_device cpu".split(), "device", 1, 19.2, 22.5),
    ("llama-2-70b", "QLoRA, parameters offloaded", QLORA + "--offload_param_device cpu".split(), "device", 1, 6.3, 9.8),
    ("llama-2-70b", "QLoRA, parameters offloaded", QLORA + "--offload_param_device cpu".split(), "host", 2, 36.3, 40.0),
    ("llama-2-70b", "QLoRA, everything offloaded", QLORA + EVERYTHING.format("cpu").split(), "device", 1, 1.5, 4.5),
    ("llama-2-70b", "LoRA", "--num_processes 8 --per_device_train_batch_size 8 --gradient_accumulation_steps 4".split(), "device", 1, 40.5, 50.0),
    ("falcon-180b", "LoRA", "--num_processes 16 --per_device_train_batch_size 8".split(), "device", 1, 70.0, 80.0),
]
MIB = 1 << 20
CACHE = 4_000_000_000
CACHE_SLACK = 4096 * 11008 * 2 + 64 * MIB  # llama-2-7b's largest linear, a target's panel
CACHE_BLOCK = (4 * 4096 * 4096 + 2 * 4096 * 11008) * 2  # its linears that a block computes again: all but the last
# seq2seq runs: the guide's YAML with weights and optimizer on the CPU, one rank, PEFT's own targets, r 8, dropout 0.1.
SEQ2SEQ = ("--zero_stage 3 --offload_param_device cpu --offload_optimizer_device cpu --per_device_train_batch_size 8 --max_source_length 128 "
           "--max_target_length 16 --lora_r 8 --lora_alpha 32 --lora_dropout 0.1 --lora_target_modules").split()
# (shape, flags, most MiB before training, most MiB at the peak)
SEQ2SEQ_PEAKS = [
    ("bart-large", ["q_proj,v_proj"], 1916, 9404),
    ("mt0-xxl", ["q,v", "--bf16", "--gradient_checkpointing"], 24e9 / MIB, 24e9 / MIB),
]
OFFLOADS = [("parameters", "--offload_param_device {0}"), ("optimizer", "--offload_optimizer_device {0}"),
            ("activations", "--offload_activation_device {0}"), ("everything", EVERYTHING)]


class Tools:
    def __init__(self, folder, work):
        self.zpc, self.zpdump, self.work = str(folder / "zpc"), str(folder / "zpdump"), work

    def compile(self, config, flags, target):
        """The plan's path."""
        folder = ROOT / "samples/configs" / config
        shape = json.loads((folder / "config.json").read_text())
        length = str(min(2048, shape.get("max_position_embeddings", 2048)))
        two = shape.get("is_encoder_decoder")
        lengths = ["--max_source_length", length, "--max_target_length", length] if two else ["--max_length", length]
        return self.build(folder, [*lengths, *COMMON, *flags], target)

    def build(self, folder, flags, target):
        model, plan = self.work / "model.mlir", self.work / "plan.fb"
        for words in ([self.zpc, "import", "--model", str(folder), *flags, "-o", str(model)],
                      [self.zpc, "compile", str(model), "--target", target, "-o", str(plan)]):
            subprocess.run(words, check=True, capture_output=True, text=True)
        return plan

    def explain(self, plan, view, *flags):
        return subprocess.run([self.zpc, "explain", str(plan), view, *flags], check=True, capture_output=True, text=True).stdout

    def dump(self, plan):
        return subprocess.run([self.zpdump, str(plan)], check=True, capture_output=True, text=True).stdout

    def peaks(self, plan):
        spaces = json.loads(self.explain(plan, "--memory", "--json"))["spaces"]
        for name, space in spaces.items():
            assert sum(space["by_kind"].values()) == space["peak_bytes"], f"{name}: the kinds don't add up to the peak"
        return {name: space["peak_bytes"] for name, space in spaces.items()}


def persistent(tools, plan, space):
    """Bytes of a space that are there before an entry runs and after it."""
    text = tools.explain(plan, "--memory")
    table = text[text.index(f"\n{space}") :]
    return int(re.search(r"\n *sum .*?([0-9]+) +[0-9]+\n", table).group(1))


def float_copies(tools, plan):
    """Bytes of the largest float copy of a 4-bit weight, of a frozen linear's buffer in floats, and of a 4-bit product's workspace."""
    text = tools.explain(plan, "--memory")
    found = []
    for what in ("largest float copy of a 4-bit weight", "largest buffer with a frozen linear's weight as floats"):
        said = re.search(rf"^{what}: (none|[0-9]+ bytes)", text, re.MULTILINE).group(1)
        found.append(0 if said == "none" else int(said.split()[0]))
    return [*found, max(map(int, re.findall(r" nf4_matmul .*? workspace=%[0-9]+ u8\[([0-9]+)\]", tools.dump(plan))))]


def uses_of_offloaded(tools, plan):
    """How often frozen weights are read by copies in any entry but init, and every other use of them there."""
    reads, others = 0, []
    for entry in re.split(r"^(?=entry )", tools.dump(plan), flags=re.MULTILINE)[1:]:
        if entry.split()[2] == "init":
            continue
        for op, operands in re.findall(r"^ +[0-9]+: s[0-9]+ (\w+) (.*)$", entry, re.MULTILINE):
            for name in re.findall(r"(\w+)=%[0-9]+ \S+ unit[0-9]+\.(?:frozen|codes)\.", operands):
                if (op, name) == ("copy", "source"):
                    reads += 1
                else:
                    others.append(f"{op} {name}")
    return reads, others


class Bounds(Tally):
    """Figures that are shown whether they are good or not."""

    def hold(self, label, good, note):
        self.check(label, [] if good else [note], note)


def gathered(tools, plan):
    """Bytes of frozen linears and of everything that a train step gathers."""
    step = json.loads(tools.explain(plan, "--collectives", "--json"))["entries"]["train_step"]
    return step["gathered"]["frozen_linears"]["bytes"], step["all_gather"]["bytes"]


def waste(tools, plan):
    """The worst of the tiers: arena over what lives at once."""
    return max(float(w) for w in re.findall(r"waste ([0-9.]+)", tools.explain(plan, "--memory")))


def offload_figures(folder, config, bits, flags):
    """(label, whether it holds, note) of each offload of a shape."""
    flags = "--num_processes 2 --per_device_train_batch_size 2".split() + flags
    with tempfile.TemporaryDirectory(prefix="plan-memory-") as work:
        tools = Tools(folder, Path(work))
        plan = tools.compile(config, flags, "cpu")
        plain, worst = tools.peaks(plan)["device"], waste(tools, plan)
        for what, spelled in OFFLOADS:
            for device, space in (("cpu", "host"), ("nvme", "nvme")):
                plan = tools.compile(config, [*flags, *spelled.format(device).split()], "cpu")
                peaks = tools.peaks(plan)
                worst = max(worst, waste(tools, plan))
                yield (f"{config} {bits}, {what} to {device}", peaks["device"] < plain and peaks[space] > 0,
                       f"device {peaks['device']} bytes, without offload {plain}, {space} {peaks[space]}")
                if what == "parameters":
                    reads, others = uses_of_offloaded(tools, plan)
                    yield (f"{config} {bits}, frozen weights in {device}", reads and not others,
                           f"{reads} times copied out, otherwise used: {sorted(set(others)) or 'never'}")
        yield f"{config} {bits}, arenas", worst <= 1.02, f"at most {worst:.4f} of what lives at once"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "build/bin")
    arguments = parser.parse_args()
    tally = Bounds()
    with tempfile.TemporaryDirectory(prefix="plan-memory-") as work:
        tools = Tools(arguments.bin, Path(work))
        for shape, what, flags, space, ranks, floor, bar in PEAKS:
            peak = ranks * tools.peaks(tools.compile(shape, flags, "cuda"))[space] / GB
            tally.hold(f"{shape} {what}: {space} of {ranks} rank(s)", floor <= peak <= bar, f"{peak:.2f} GB, expected {floor} to {bar}")
        copies = float_copies(tools, tools.compile("llama-2-70b", QLORA, "cuda"))
        tally.hold("llama-2-70b QLoRA: weights as floats", max(copies) <= 64 * MIB and copies[1] == 0,
                    f"float copy {copies[0]} bytes, linears kept as floats {copies[1]}, tiles of a product {copies[2]}, expected at most 64 MiB and none kept")
        for config, flags, before, most in SEQ2SEQ_PEAKS:
            plan = tools.build(ROOT / "samples/configs" / config, [*SEQ2SEQ, *flags], "cuda")
            peak, start = tools.peaks(plan)["device"] / MIB, persistent(tools, plan, "device") / MIB
            tally.hold(f"{config} with CPU offload, device", start < before and peak < most,
                        f"{start:.0f} MiB before training, {peak:.0f} MiB at the peak, expected below {before:.0f} and {most:.0f}")
        for ranks, least, most in ((1, CACHE - CACHE_SLACK, CACHE), (2, 1, CACHE_BLOCK)):
            flags = [*f"--num_processes {ranks} --per_device_train_batch_size 2".split(), *FOUR_BIT]
            plain, cached = (tools.peaks(tools.compile("llama-2-7b", [*flags, *more], "cuda"))["device"] for more in ([], ["--dequant_cache_bytes", str(CACHE)]))
            tally.hold(f"llama-2-7b on {ranks} rank(s), floats of 4-bit weights", least <= cached - plain <= most,
                        f"{cached - plain} bytes of the device, expected {least} to {most}")
        four = gathered(tools, tools.compile("llama-2-70b", QLORA, "cpu"))
        floats = gathered(tools, tools.compile("llama-2-70b", [f for f in QLORA if f not in FOUR_BIT], "cpu"))
        for what, less, more, bar in zip(("frozen linears", "everything"), four, floats, (3.8, 3.75)):
            tally.hold(f"llama-2-70b gathers {what}", more >= bar * less, f"{more} bytes in bf16 are {more / less:.3f} times {less}, expected {bar}")
        jobs = [(config, bits, flags) for config in sorted(p.parent.name for p in (ROOT / "samples/configs").glob("*/config.json"))
                for bits, flags in (("bf16", []), ("4-bit", FOUR_BIT))]
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # a compiler each
            for figures in pool.map(lambda job: list(offload_figures(arguments.bin, *job)), jobs):
                for figure in figures:
                    tally.hold(*figure)
    return tally.close()


if __name__ == "__main__":
    sys.exit(main())

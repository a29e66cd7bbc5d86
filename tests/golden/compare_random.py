#!/usr/bin/env python3
"""Draws training cases, runs each with PEFT or transformers on PyTorch and with zpc and zprun, and compares losses, gradient norms, schedules and
what is saved. Needs PyTorch and PEFT (README.md: environment), so it isn't among tests/run.sh's and no part of CI.

    peers/bin/python tests/golden/compare_random.py [--bin build/bin] [--first 0] [--count 20] [--family llama ...] [--keep DIR]

A case is drawn from its number alone (reference/draw.py): `--first N --count 1` runs it again. Prints a line a case:

    equal                      within the golden cases' tolerances
    within noise               outside, but by less than 8 times (in 16 bits 6) what the reference differs from itself: eager attention in
                               fp32 from SDPA, from float64 and, with ReLU, from weights a millionth away; 16 bits from fp32
    both refuse                neither the libraries nor the tools take it
    refused by ours            the tools alone refuse it, with the message
    refused by the reference   the libraries alone do
    DIFFERENT                  with the figures; --keep leaves the case there, as golden_test.py --cases takes it
    CRASHED                    a tool ended otherwise than with an answer or a coded refusal, or this script did

The last line counts them. Exit 1 when any is DIFFERENT or CRASHED.
"""

import argparse
import collections
import functools
import json
import math
import os
import random
import shutil
import sys
import tempfile
import time
import warnings
from pathlib import Path
from unittest import mock

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
os.environ.update(OMP_NUM_THREADS="1", HF_HUB_OFFLINE="1", CUDA_VISIBLE_DEVICES="", TRANSFORMERS_VERBOSITY="error", DS_ACCELERATOR="cpu")
os.environ["TORCHDYNAMO_DISABLE"] = "1"  # bitsandbytes would compile for seconds what runs for milliseconds

import torch  # noqa: E402
from integration.support import compare, pipeline  # noqa: E402
from integration.support.golden_case import GoldenCase  # noqa: E402
from reference import build, checks  # noqa: E402
from reference.draw import FAMILIES, draw  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from transformers import CONFIG_MAPPING  # noqa: E402
from transformers.utils import logging  # noqa: E402

EXACT = {"learning_rate": compare.LEARNING_RATE, "epoch": compare.EPOCH, "loss_scale": 0, "skipped_steps": 0}
FAILED = ("DIFFERENT", "CRASHED")


def write_inputs(found, folder):
    build.write(found.case, folder)
    if found.fewer_keys:
        leave_out_defaults(folder / "model/config.json", random.Random(found.case.name))
    if found.adapter_dtype:
        path = folder / "adapter/adapter_model.safetensors"
        narrow = {name: tensor.to(getattr(torch, found.adapter_dtype)) for name, tensor in load_file(path).items()}
        save_file(narrow, path, metadata={"format": "pt"})


def leave_out_defaults(path, dice):
    config = json.loads(path.read_text())
    defaults = json.loads(CONFIG_MAPPING[config["model_type"]]().to_json_string(use_diff=False))
    needed = ("architectures", "model_type", "dtype", "transformers_version", "vocab_size")
    for name in [name for name in config if name not in needed and name in defaults and defaults[name] == config[name]]:
        if dice.random() < 0.7:
            del config[name]
    path.write_text(json.dumps(config, indent=2))


def run_reference(spec, folder, **other):
    """`other`: arguments of loop.run or hf_trainer.run that should change nothing but rounding."""
    return checks.reference(spec)(GoldenCase(folder), **other)


def in_double(spec, folder):
    """The reference in float64. Its models take softmax in fp32, where a mask's lowest number is an infinity and the row of a padding token,
    which sees nothing, no number: it stays float64."""

    def softmax(scores, dim=None, dtype=None, **_):
        return scores.softmax(dim)

    with mock.patch.object(torch.nn.functional, "softmax", softmax):
        return run_reference(spec, folder, dtype=torch.float64)


def write_expected(result, folder):
    (folder / "expected.json").write_text(json.dumps({"steps": result.steps}, indent=1) + "\n")
    save_file(result.final, folder / "expected.safetensors")
    save_file(result.initial, folder / "initial.safetensors")


def changes(final, result):
    """{tensor: the gap of its final value from the reference's, against how far that moved}. What moves less than a hundredth of AdamW's
    reach (about the learning rate in each element and update) is held to that: its gradient may be nothing but rounding. Of a tensor that is
    saved in 16 bits, what rounding to them can be is no gap."""
    reach = sum(step["learning_rate"] for step in result.steps)
    found = {}
    for name, want in result.final.items():
        got, apart = final[name].double(), (final[name].double() - want.double()).abs()
        if final[name].dtype != torch.float32:
            kind = torch.finfo(final[name].dtype)
            apart = (apart - kind.eps / 4 * torch.exp2(torch.frexp(got).exponent).clamp(min=2 * kind.tiny)).clamp(min=0)
        moved = max((want - result.initial[name]).norm().item(), 0.01 * reach * math.sqrt(want.numel()))
        gap = apart.norm().item()
        found[name] = gap / moved if moved else math.inf if gap else 0.0
    return found


def saved_tensors(case, out, result):
    """What zprun saved, with the names that the reference holds it to."""
    final = {}
    for path in sorted(out.glob("model*.safetensors" if case.trains_everything else "adapter_model.safetensors")):
        final.update(load_file(path))
    for name in list(result.final):
        # PEFT hands out biases of modules that are saved whole a second time, by names of its own; BART's logits have a constant.
        if ".modules_to_save." in name or ".original_module." in name or name == "final_logits_bias":
            del result.final[name]
            final.pop(name, None)
    if case.trains_everything and "lm_head.weight" not in result.final:
        final.pop("lm_head.weight", None)  # the embedding once more
    missing, extra = sorted(result.final.keys() - final.keys()), sorted(final.keys() - result.final.keys())
    if missing or extra:
        raise compare.Mismatch(f"saved tensors: missing {missing[:3]}, unexpected {extra[:3]} ({len(missing)} and {len(extra)})")
    wrong = [name for name in final if final[name].shape != result.final[name].shape]
    if wrong:
        raise compare.Mismatch(f"{wrong[0]}: shape {tuple(final[wrong[0]].shape)}, expected {tuple(result.final[wrong[0]].shape)}")
    return final


def nudged(spec, folder, seed):
    """The reference from weights that are about a millionth away: a sum before ReLU that lies so near 0 has its gradient or none."""
    with tempfile.TemporaryDirectory() as place:
        copy = shutil.copytree(folder, Path(place) / folder.name, ignore=shutil.ignore_patterns("run", "nvme"))
        generator = torch.Generator().manual_seed(seed)
        for path in copy.glob("model/*.safetensors"):
            tensors = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in load_file(path).items()}
            for tensor in filter(torch.is_floating_point, tensors.values()):
                tensor.mul_(1 + 1e-6 * torch.randn(tensor.shape, generator=generator))
            save_file(tensors, path, metadata={"format": "pt"})
        return run_reference(spec, copy)


def skipped(result):
    return [step["step"] for step in result.steps if step["grad_norm"] is None]


def noise_of(spec, folder, result):
    """(the most that the reference's losses and norms differ from its own, the same of each tensor's change); None where fp16 overflows in
    one of its runs and not in another."""
    run = functools.partial(run_reference, spec, folder)
    narrow = "bf16" in spec.flags or "fp16" in spec.flags
    exact = run(dtype=torch.float32) if narrow else in_double(spec, folder)
    others = [run(attention="eager" if narrow else "sdpa")]
    if "fp16" in spec.flags:  # what is a quarter away from the edge is not a matter of rounding
        others += [run(first_scale=0.8), run(first_scale=1.25)]
        if any(skipped(one) != skipped(result) for one in others):
            return None
    if skipped(exact) == skipped(result):  # fp32 doesn't overflow where fp16 does
        others.append(exact)
    if not narrow and "relu" in json.dumps(spec.config):
        others += [nudged(spec, folder, seed) for seed in range(4)]
    each = [checks.gaps(result, other) for other in others]
    moved = [changes(other.final, result) for other in others]
    return [{name: max(found[name] for found in of) for name in of[0]} for of in (each, moved)]


def judge(spec, case, out, result):
    """(outcome, text)"""
    worst = compare.worst_of_steps(compare.read_metrics(out / "metrics.jsonl"), result.steps)
    gaps = changes(saved_tensors(case, out, result), result)
    limits = {**EXACT, **case.tolerance}
    figures = ", ".join(f"{name} {worst[name][0]:.1e}" for name in ("loss", "grad_norm")) + f", change {max(gaps.values()):.1e}"
    over = {name: found for name, found in worst.items() if not found[0] <= limits[name]}
    moved = {name: gap for name, gap in gaps.items() if not gap <= limits["change"]}
    if not over and not moved:
        return "equal", figures
    noise = noise_of(spec, case.folder, result)
    if noise is None:
        return "within noise", "the reference's own runs don't skip the same updates"
    times = 6 if "bf16" in spec.flags or "fp16" in spec.flags else 8
    said = [
        f"{name} {gap:.1e} (update {step}; noise {noise[0].get(name, 0):.1e})"
        for name, (gap, step) in over.items()
        if not gap <= times * noise[0].get(name, 0)
    ]
    apart = {name: gap for name, gap in moved.items() if not gap <= times * noise[1][name]}
    for name in sorted(apart, key=apart.get, reverse=True)[:3]:
        said.append(f"change of {name} {apart[name]:.1e} (noise {noise[1][name]:.1e})")
    if said:
        return "DIFFERENT", "; ".join(said) + (f"; {len(apart)} tensors in all" if len(apart) > 3 else "")
    return "within noise", figures


def run_case(found, folder, chosen):
    """(outcome, text)"""
    result = refusal = None
    try:
        write_inputs(found, folder)
        result = run_reference(found.case, folder)
        write_expected(result, folder)
    except Exception as problem:  # the libraries refuse with exceptions of every kind
        refusal = f"{type(problem).__name__}: {' '.join(str(problem).split())[:200]}"
    if not (folder / "case.json").exists():
        return "both refuse", f"no adapter to start from: {refusal}"
    case = GoldenCase(folder)
    flags = dict(found.flags)
    if "nvme" in flags.values():
        flags["nvme_path"] = folder / "nvme"
        flags["nvme_path"].mkdir()
    try:
        out = pipeline.run(case, pipeline.Job(chosen.bin, found.ranks, found.zero_stage, "", flags, timeout=chosen.timeout), folder / "run")
        if result is None:
            return "refused by the reference", refusal
        return judge(found.case, case, out, result)
    except pipeline.StageFailed as problem:
        if not problem.refused:
            return "CRASHED", str(problem)
        return ("both refuse", refusal) if result is None else ("refused by ours", str(problem))
    except compare.Mismatch as problem:
        return "DIFFERENT", str(problem)


def asked(tool, refusal):
    """(outcome and text where the tool or, by its refusal, the reference does not answer; what the tool gave)"""
    try:
        made = tool()
    except pipeline.StageFailed as problem:
        if not problem.refused:
            return ("CRASHED", str(problem)), None
        return (("both refuse", refusal) if refusal else ("refused by ours", str(problem))), None
    return (("refused by the reference", refusal) if refusal else None), made


def describe(found):
    case, flags = found.case, found.case.flags
    trained = "every parameter" if "use_peft_lora" in flags else "LoRA" if case.lora else "fresh LoRA"
    kind = [case.family, trained, *(name for name in ("bf16", "fp16") if name in flags), *(["4 bits"] if case.four_bit else [])]
    how = [f"ranks {found.ranks} zero {found.zero_stage}", *(f"{name} {value}" for name, value in found.flags.items())]
    return f"{' '.join(kind)}, {', '.join(how)}"


def numbers(chosen, draw=draw):
    """(number, draw) of the first --count cases of the families that were asked for."""
    number, left = chosen.first, chosen.count
    while left:
        found = draw(number)
        if not chosen.family or found.case.family in chosen.family:
            left -= 1
            yield number, found
        number += 1


def parser_of_cases(doc):
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=HERE.parents[1] / "build/bin", help="folder of zpc and zprun")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--count", type=int, default=20, help="how many cases are run")
    parser.add_argument("--family", nargs="+", choices=FAMILIES, default=[], help="passes over numbers of other families")
    parser.add_argument("--keep", type=Path, help="leaves the cases that failed here")
    parser.add_argument("--timeout", type=float, default=120, help="seconds a tool may take")
    return parser


def compare_cases(chosen, cases, describe, run_case):
    """Runs each (number, draw), prints a line of it and keeps what failed, then the counts. Returns the exit code."""
    logging.disable_progress_bar()
    warnings.simplefilter("ignore")  # of the libraries, about draws that PEFT finds odd
    counts = collections.Counter()
    with tempfile.TemporaryDirectory(prefix="compare-random-") as scratch:
        for number, found in cases:
            folder, begun = Path(scratch) / found.case.name, time.monotonic()
            try:
                outcome, text = run_case(found, folder, chosen)
            except Exception as problem:  # of this script: the other cases still run
                outcome, text = "CRASHED", f"{Path(__file__).name}: {type(problem).__name__}: {problem}"
            print(f"{number} ({describe(found)}; {time.monotonic() - begun:.0f} s): {outcome}: {text}", flush=True)
            counts[outcome] += 1
            if outcome in FAILED and chosen.keep and folder.exists():
                shutil.copytree(folder, chosen.keep / found.case.name, dirs_exist_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.most_common()))
    return 1 if any(counts[outcome] for outcome in FAILED) else 0


def main():
    chosen = parser_of_cases(__doc__).parse_args()
    sys.exit(compare_cases(chosen, numbers(chosen), describe, run_case))


if __name__ == "__main__":
    main()

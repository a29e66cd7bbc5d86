#!/usr/bin/env python3
"""`zprun generate` against transformers: the same tokens, prompt by prompt.

    generate_test.py [--bin DIR]

tests/golden/generation/ holds what transformers' `generate` makes of prompts of unequal lengths (its README: how). Greedy with the
adapter on and off, and with a repetition penalty, on one rank and on two under ZeRO-3, by the fast kernels and by the reference ones,
with chunks of one, five and many prompt tokens, more prompts than rows and fewer; rows end by their end token or by length. Then
without a cache: each new token is the largest logit that `zprun eval` gives for the row so far. bf16, fp16 and 4-bit bases say the same
whatever the ranks and chunks. Drawn tokens follow the seed, not the ranks. `zp generate` says what
the tools say by hand. Wrong input gets its coded line. A line a check; the last
line is 'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from support import pipeline, random_model, tools
from support.golden_case import find_cases

MAX_LENGTH = 40
# ranks, stage, prompts at once on a rank, prompt tokens at once, flags of zprun
CELLS = [
    (1, 0, 7, 64, []),
    (1, 0, 3, 5, []),
    (2, 3, 2, 1, []),
    (2, 3, 8, 5, ["--shadow"]),
    (1, 0, 4, 8, ["--reference"]),
]


EVALUATED = ["bloom_norms", "falcon_alibi", "falcon_groups", "llama_bias_all", "llama_modules_to_save", "llama_qlora_nested",
             "llama_qlora_prequantised", "llama_tied_rope3", "qwen3_patterns"]  # fmt: skip


def write_prompts(path, prompts):
    length = max(map(len, prompts), default=0) or 1
    ids, segments = np.zeros((len(prompts), length), np.int32), np.full((len(prompts), length), -1, np.int32)
    for row, prompt in enumerate(prompts):
        ids[row, : len(prompt)] = prompt
        segments[row, : len(prompt)] = 0
    save_file({"input_ids": ids, "segment_ids": segments}, path)
    return path


def write_model(case, folder, **settings):
    """The case's model with a generation_config.json."""
    shutil.copytree(case.model, folder)
    (folder / "generation_config.json").write_text(json.dumps(settings))
    return folder


class Bench:
    """One golden case: its plans, and what generate makes by them."""

    def __init__(self, chosen, case, theirs, work):
        self.chosen, self.case, self.theirs, self.work = chosen, case, theirs, work
        work.mkdir(parents=True)
        self.model = write_model(case, work / "model", eos_token_id=theirs["eos_token_id"], max_new_tokens=theirs["max_new_tokens"])
        self.prompts = write_prompts(work / "prompts.safetensors", theirs["prompts"])
        self.plans = 0

    def plan(self, ranks, stage, rows, chunk, adapter=True, flags=()):
        self.plans += 1
        source = ["--model", self.model] + (["--adapter_name_or_path", self.case.adapter] if adapter else [])
        settings = {
            "generate": "true",
            "max_length": MAX_LENGTH,
            "generation_batch_size": rows,
            "prefill_length": chunk,
            "num_processes": ranks,
            "zero_stage": stage,
            "stage3_param_persistence_threshold": 0,
            **dict(flags),
        }
        return tools.make_plan(self.chosen.bin, source, settings, self.work / f"plan{self.plans}", self.chosen.timeout)

    def generate(self, plan, ranks, *flags, prompts=None, adapter=True):
        """The rows of the file that `zprun generate` writes."""
        out = plan.parent / "out.jsonl"
        out.unlink(missing_ok=True)
        words = [self.chosen.bin / "zprun", "generate", plan, "--model", self.model, "--prompts", prompts or self.prompts]
        words += ["--adapter_name_or_path", self.case.adapter] if adapter else []
        tools.call([*words, "-o", out, "-n", ranks, "--quiet", *flags], self.chosen.timeout)
        return [json.loads(line) for line in out.read_text().splitlines()]

    def differences(self, rows, expected):
        """What is wrong with rows that should hold these tokens."""
        problems = [] if len(rows) == len(expected) else [f"{len(rows)} rows, expected {len(expected)}"]
        for number, (row, tokens) in enumerate(zip(rows, expected)):
            ended = "eos" if tokens[-1] == self.theirs["eos_token_id"] else "length"
            if (row["row"], row["tokens"], row["ended"]) != (number, tokens, ended):
                problems.append(f"row {number} is {row['tokens']} ({row['ended']}), expected {tokens} ({ended})")
            if row["prompt_tokens"] != len(self.theirs["prompts"][number]):
                problems.append(f"row {number} says {row['prompt_tokens']} prompt tokens")
        return problems


def against_transformers(bench, tally):
    penalty = ["--repetition_penalty", bench.theirs["repetition_penalty"]]
    rows = len(bench.theirs["prompts"])
    for ranks, stage, at_once, chunk, flags in CELLS:
        label = " ".join([bench.case.name, f"ranks {ranks} zero {stage} rows {at_once} chunk {chunk}", *flags])
        try:
            plan = bench.plan(ranks, stage, at_once, chunk)
            found = {
                "greedy on": (bench.generate(plan, ranks, *flags), bench.theirs["greedy"]["adapter_on"]),
                "greedy off": (bench.generate(plan, ranks, "--adapter", "off", *flags), bench.theirs["greedy"]["adapter_off"]),
                "penalized on": (bench.generate(plan, ranks, *penalty, *flags), bench.theirs["penalized"]["adapter_on"]),
            }
        except pipeline.StageFailed as problem:
            tally.check(label, [str(problem)])
            continue
        for name, (ours, expected) in found.items():
            tally.check(f"{label} {name}", bench.differences(ours, expected), f"{rows} rows token for token")


def without_adapter(bench, tally):
    """A plan of the base model alone."""
    plan = bench.plan(1, 0, 7, 64, adapter=False)
    problems = bench.differences(bench.generate(plan, 1, adapter=False), bench.theirs["greedy"]["adapter_off"])
    tally.check(f"{bench.case.name} base model alone", problems, "token for token")


def without_cache(bench, tally):
    """Greedy by `zprun eval`: the whole row again for each new token."""
    rows = bench.theirs["prompts"]
    four_bit = [(name, value) for name, value in bench.case.import_flags.items() if "quant" in name or "4bit" in name]
    generated = bench.generate(bench.plan(1, 0, 7, 64, flags=four_bit), 1)
    sequences = [prompt + row["tokens"] for prompt, row in zip(rows, generated, strict=True)]
    flags = {"max_length": MAX_LENGTH, "per_device_train_batch_size": 1, "zero_stage": 0, **dict(four_bit)}
    source = ["--model", bench.model, "--adapter_name_or_path", bench.case.adapter]
    plan = tools.make_plan(bench.chosen.bin, source, flags, bench.work / "eval", bench.chosen.timeout)
    tokens = {name: np.zeros((len(rows), MAX_LENGTH), np.int32) for name in ("input_ids", "position_ids")}
    tokens["labels"] = np.full((len(rows), MAX_LENGTH), -100, np.int32)
    tokens["segment_ids"] = np.full((len(rows), MAX_LENGTH), -1, np.int32)
    for row, sequence in enumerate(sequences):
        tokens["input_ids"][row, : len(sequence)] = tokens["labels"][row, : len(sequence)] = sequence
        tokens["position_ids"][row, : len(sequence)] = np.arange(len(sequence))
        tokens["segment_ids"][row, : len(sequence)] = 0
    save_file(tokens, bench.work / "eval.safetensors")
    logits = bench.work / "logits.safetensors"
    words = [bench.chosen.bin / "zprun", "eval", plan, *source, "--dataset", bench.work / "eval.safetensors"]
    tools.call([*words, "--logits", logits, "--rows", len(rows), "--quiet"], bench.chosen.timeout)
    best = load_file(logits)["logits"].argmax(-1)
    problems = []
    for row, prompt in enumerate(rows):
        made = generated[row]["tokens"]
        whole = best[row, len(prompt) - 1 : len(prompt) - 1 + len(made)].tolist()
        problems += [] if whole == made else [f"row {row}: with the cache {made}, without {whole}"]
    distinct = len({token for row in generated for token in row["tokens"]})
    tally.check(f"{bench.case.name} without a cache", problems, f"{len(rows)} rows token for token, {distinct} different tokens")


def same_whatever_the_ranks(bench, tally):
    """What transformers says nothing of, but two ranks must say alike, wherever weights are; and where it must differ."""
    drawn = ["--do_sample", "true", "--temperature", "1.5", "--top_p", "0.95"]
    nvme = [("offload_param_device", "nvme"), ("nvme_path", bench.work)]
    kinds = {
        "bf16": ([("bf16", "true")], [], []),
        "fp16": ([("fp16", "true")], [], []),
        "nf4": ([("use_4bit_quantization", "true"), ("use_nested_quant", "true")], [], []),
        "offloaded to host memory": ([], [("offload_param_device", "cpu")], []),
        "offloaded to disk": ([("use_4bit_quantization", "true")], nvme, []),
        "drawn": ([], [], drawn),
    }
    for name, (settings, further, flags) in kinds.items():
        one = bench.generate(bench.plan(1, 0, 4, 16, flags=settings), 1, *flags)
        two = bench.generate(bench.plan(2, 3, 4, 16, flags=[*settings, *further]), 2, *flags)
        tokens = [len(row["tokens"]) for row in one]
        problems = [] if one == two else ["one rank and two differ"]
        problems += [] if min(tokens) > 0 else ["a row without tokens"]
        if name == "drawn":
            plan = bench.work / f"plan{bench.plans}" / "plan.fb"
            problems += [] if bench.generate(plan, 2, *drawn, "--seed", 7) != two else ["another seed gives the same tokens"]
            problems += [] if bench.generate(plan, 2, *drawn, "--top_k", 1) == bench.generate(plan, 2) else ["top_k 1 isn't greedy"]
        tally.check(f"{bench.case.name} {name} on one rank and two", problems, f"{sum(tokens)} tokens alike")


def refusals(bench, tally):
    plan, training = bench.plan(1, 0, 2, 4), bench.work / "eval" / "plan.fb"
    prompts = bench.work / "bad.safetensors"
    poisoned = bench.work / "poisoned"
    shutil.copytree(bench.model, poisoned)
    weights = load_file(poisoned / "model.safetensors")
    next(tensor for name, tensor in weights.items() if name.endswith("norm.weight"))[0] = np.nan
    save_file(weights, poisoned / "model.safetensors", {"format": "pt"})

    def refused(label, code, says, *words, rows=None):
        write_prompts(prompts, rows or [[5, 6]])
        try:
            tools.call([bench.chosen.bin / "zprun", *words], bench.chosen.timeout)
            tally.check(label, ["was not refused"])
        except pipeline.StageFailed as problem:
            good = problem.code == code and says in str(problem)
            tally.check(label, [] if good else [f"{problem}, expected exit {code} and '{says}'"], says)

    adapter = ["--adapter_name_or_path", bench.case.adapter]
    common = ["--prompts", prompts, "-o", bench.work / "bad.jsonl", "--model", bench.model]
    generate = ["generate", plan, *common, *adapter]
    for flag in ("--min_length", "--no_repeat_ngram_size", "--max_length"):
        refused(f"{flag} below zero", 2, f"{flag}: is -3, expected 0 or more", *generate, flag, "-3")
    refused("a prompt too long", 4, "has 40 tokens, expected at most 39", *generate, rows=[[3] * 40])
    refused("an empty prompt", 4, "row 1: is an empty prompt", *generate, rows=[[3], []])
    refused("a token beyond the vocabulary", 4, "expected 0 to", *generate, rows=[[3, 100000]])
    refused("a plan that trains", 2, "--generate true", "generate", training, *common, *adapter)
    refused("training by a plan that generates", 2, "without --generate", plan, "--model", bench.model, "--dataset", bench.case.tokens, "--output_dir", bench.work / "no")
    refused("a temperature of zero", 2, "--temperature: is 0", *generate, "--do_sample", "true", "--temperature", "0")
    refused("no new tokens", 2, "--max_new_tokens: is 0", *generate, "--max_new_tokens", "0")
    refused("a forced token beyond the vocabulary", 4, "--forced_eos_token_id: is 100000", *generate, "--forced_eos_token_id", "100000")
    refused("logits that aren't numbers", 5, "are not finite", *(poisoned if word == bench.model else word for word in generate))
    base = bench.plan(1, 0, 2, 4, adapter=False)
    refused("an adapter for a plan without one", 2, "the plan has no adapter", "generate", base, *common, *adapter)


def other_cases(chosen, work, tally):
    """Adapters and bases of other kinds, held to evaluation."""
    prompts = [np.random.default_rng(n).integers(3, 90, n).tolist() for n in (3, 1, 17)]
    theirs = {"prompts": prompts, "eos_token_id": [], "max_new_tokens": 12}
    for case in find_cases(tools.ROOT / "tests/golden/cases", EVALUATED):
        try:
            without_cache(Bench(chosen, case, theirs, work / case.name), tally)
        except pipeline.StageFailed as problem:
            tally.check(case.name, [str(problem)])


def words(chosen, work, tally):
    """`zp generate` says what the four tools say by hand."""
    model, asked = work / "model", ["open the path", "the file"]
    random_model.write_model(model, 32, 48, 2, 4, 2, 1024)
    for file in (tools.ROOT / "tests/python/golden/tokenizer").iterdir():
        shutil.copy(file, model)
    rows, prompts, out = work / "rows.jsonl", work / "prompts.safetensors", work / "out.jsonl"
    rows.write_text("".join(json.dumps({"messages": [{"role": "user", "content": text}]}) + "\n" for text in asked))
    form = ["--tokenizer", model, "--chat_template_format", "chatml"]
    tools.call([chosen.bin / "zpdata", "prompts", rows, *form, "-o", prompts], chosen.timeout)
    flags = {"generate": "true", "max_length": 64, "generation_batch_size": 2}
    plan = tools.make_plan(chosen.bin, ["--model", model], flags, work / "plan", chosen.timeout)
    drawn = ["--max_new_tokens=6", "--do_sample", "true", "--temperature", 2, "--top_k", 0, "--quiet"]  # untrained, greedy repeats itself
    common = ["--model", model, "--prompts", prompts, "-o", out, *drawn]
    tools.call([chosen.bin / "zprun", "generate", plan, *common], chosen.timeout)
    expected = tools.call([chosen.bin / "zpdata", "text", out, *form], chosen.timeout)
    zp = [chosen.bin / "zp", "generate", "--model", model, *drawn]
    given = [word for text in asked for word in ("--prompt", text)]
    chat = ["--chat_template_format", "chatml"]
    for label, more in (
        ("prompts", given),
        ("a file", ["--prompts", rows]),
        ("two ranks", [*given, "--num-processes", 2, "--zero_stage=3", "--stage3_param_persistence_threshold", 0]),
    ):
        said = tools.call([*zp, *chat, *more], chosen.timeout)
        good = said == expected and said.count("--- prompt ") == 2
        tally.check(f"zp generate {label}", [] if good else [f"says {said!r}, expected {expected!r}"], repr(said[:60]))
    report = tools.call([chosen.bin / "zpdata", "prompts", rows, *form, "-o", prompts, "--json", "true"], chosen.timeout)
    longest, told = json.loads(report)["longest"], [word for word in drawn if not str(word).startswith("--max_new_tokens")]
    zp_long = [chosen.bin / "zp", "generate", "--model", model, *told, *chat, "--prompt", asked[0]]
    by_length, by_count, short = (
        tools.call([*zp_long, *more], chosen.timeout) for more in (["--max_length", longest + 90], ["--max_new_tokens", 90], ["--max_new_tokens", 64])
    )
    good = by_length == by_count and by_length.startswith(short[:20]) and len(by_length) > len(short)
    tally.check("zp generate --max_length", [] if good else [f"says {by_length!r}, expected {by_count!r}"], "as long as it says")
    config, near = json.loads((model / "config.json").read_text()), {"max_position_embeddings": longest + 5}
    (model / "config.json").write_text(json.dumps({**config, **near}))
    ends, few = (tools.call([*zp_long, *more], chosen.timeout) for more in ([], ["--max_new_tokens", 5]))
    (model / "config.json").write_text(json.dumps(config))
    tally.check("zp generate near the end of the model's places", [] if ends == few else [f"says {ends!r}, expected {few!r}"])
    first = expected.split("--- prompt 0\n")[1].split("--- prompt 1\n")[0]
    said = tools.call([*zp, *chat, "--prompt", asked[0]], chosen.timeout)
    tally.check("zp generate one prompt", [] if said == first else [f"says {said!r}, expected {first!r}"], repr(said))
    for label, more, whole in (
        ("as its tokens come", ["--prompt", asked[0]], first),
        ("several as their tokens come, on two ranks", [*given, "--num-processes", 2], expected),
    ):
        said = tools.call([*zp, *chat, *more, "--stream", "true"], chosen.timeout)
        tally.check(f"zp generate {label}", [] if said == whole else [f"says {said!r}, expected {whole!r}"], repr(said))
    said = tools.call([chosen.bin / "zprun", "generate", plan, *common, "--stream_tokens", "true"], chosen.timeout)
    lines, made = ([json.loads(line) for line in text.splitlines()] for text in (said, out.read_text()))
    rows = [[(line["token"], line["over"]) for line in lines[1:] if line["row"] == row["row"]] for row in made]
    wanted = [[(token, number == len(row["tokens"])) for number, token in enumerate(row["tokens"], 1)] for row in made]
    good = lines[0] == {"prompts": 2} and rows == wanted
    tally.check("zprun generate --stream_tokens", [] if good else [f"says {lines}, the file {made}"])
    for label, says, more in (
        ("nothing to continue", "--prompt: is missing", []),
        ("two sources", "--prompts: is given beside --prompt", [*given, "--prompts", rows]),
        ("an unknown flag", "did you mean --temperature", [*given, "--temprature", 1]),
        ("no number", "--max_length: is 'many'", [*given, "--max_length", "many"]),
        ("a cache too short", "expected at most 3", [*given, "--max_length", 4]),
        ("beams as they come", "--stream: is true with 2 beams", [*given, "--stream", "--num_beams", 2]),
        ("lines of JSON as they come", "--stream: is true beside --json", [*given, "--stream", "--json"]),
    ):
        try:
            tools.call([*zp, *more], chosen.timeout)
            tally.check(f"zp generate {label}", ["was not refused"])
        except pipeline.StageFailed as problem:
            tally.check(f"zp generate {label}", [] if problem.refused and says in str(problem) else [str(problem)], says)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tools.add_arguments(parser)
    chosen = parser.parse_args()
    references = sorted((tools.ROOT / "tests/golden/generation").glob("*.json"))
    tally = tools.Tally()
    with tempfile.TemporaryDirectory(prefix="generate-") as scratch:
        work = chosen.work_dir or Path(scratch)
        (work / "words").mkdir(parents=True)
        words(chosen, work / "words", tally)
        other_cases(chosen, work, tally)
        for path in references:
            (case,) = find_cases(tools.ROOT / "tests/golden/cases", [path.stem])
            bench = Bench(chosen, case, json.loads(path.read_text()), work / case.name)
            against_transformers(bench, tally)
            try:
                without_adapter(bench, tally)
                without_cache(bench, tally)
                if path == references[0]:
                    same_whatever_the_ranks(bench, tally)
                    refusals(bench, tally)
            except pipeline.StageFailed as problem:
                tally.check(case.name, [str(problem)])
    sys.exit(tally.close())


if __name__ == "__main__":
    main()

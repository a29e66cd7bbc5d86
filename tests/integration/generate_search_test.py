#!/usr/bin/env python3
"""`zprun generate` against transformers' own search: the same tokens, prompt by prompt, for every family.

    generate_search_test.py [--bin DIR] [--case NAME ...]

tests/golden/generation/searches/ holds what transformers' `generate` makes of prompts of unequal lengths (its README: how): greedy and
with 4 beams, with and without n-grams that may not come twice and forced tokens. zprun reads the same settings from
generation_config.json, or takes them as flags, on one rank and on two under ZeRO-3, several prompts at once. Where the model has an
encoder the prompts are its source. `zp generate` does it in words, to a stop string. Wrong beam counts get their coded line. A line a check; the last line is 'N passed, N failed'.
Exit 1 when any failed.
"""

import argparse
import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from support import pipeline, random_model, tools
from support.golden_case import find_cases
from support.turned_norm import turn_last_norm

PROMPT, NEW = 20, 10  # the longest prompt, and new tokens of each
# ranks, stage, prompts at once on a rank, flags of zprun
CELLS = [(1, 0, 25, []), (2, 3, 7, [])]


def write_prompts(path, prompts, source):
    """A row a prompt, padded on the right."""
    names = ("source_ids", "source_segment_ids") if source else ("input_ids", "segment_ids")
    ids, segments = np.zeros((len(prompts), PROMPT), np.int32), np.full((len(prompts), PROMPT), -1, np.int32)
    for row, prompt in enumerate(prompts):
        ids[row, : len(prompt)] = prompt
        segments[row, : len(prompt)] = 0
    save_file(dict(zip(names, (ids, segments))), path)
    return path


class Bench:
    """One golden case with what transformers says of it."""

    def __init__(self, chosen, case, theirs, work):
        self.chosen, self.case, self.theirs, self.work = chosen, case, theirs, work
        self.source = theirs["decoder_start_token_id"] is not None
        self.model = work / "model"
        shutil.copytree(case.model, self.model)
        if theirs["turned_norm"]:
            turn_last_norm(self.model)
        self.prompts = write_prompts(work / "prompts.safetensors", theirs["prompts"], self.source)
        self.plans = 0

    def say(self, settings):
        """Puts settings beside the model."""
        start = {"decoder_start_token_id": self.theirs["decoder_start_token_id"]} if self.source else {}
        (self.model / "generation_config.json").write_text(json.dumps({**start, **settings}))

    def plan(self, ranks, stage, at_once, **flags):
        """A plan with room for the beams that the settings beside the model ask for, unless flags say."""
        self.plans += 1
        lengths = {"max_source_length": PROMPT, "max_target_length": 1 + NEW} if self.source else {"max_length": PROMPT + NEW}
        adapter = ["--adapter_name_or_path", self.case.adapter] if self.case.adapter else []
        settings = {
            "generate": "true",
            **lengths,
            "generation_batch_size": at_once,
            "prefill_length": 8,
            "num_processes": ranks,
            "zero_stage": stage,
            "stage3_param_persistence_threshold": 0,
            **flags,
        }
        return tools.make_plan(self.chosen.bin, ["--model", self.model, *adapter], settings, self.work / f"plan{self.plans}", self.chosen.timeout)

    def generate(self, plan, ranks, *flags):
        out = plan.parent / "out.jsonl"
        out.unlink(missing_ok=True)
        adapter = ["--adapter_name_or_path", self.case.adapter] if self.case.adapter else []
        words = [self.chosen.bin / "zprun", "generate", plan, "--model", self.model, *adapter, "--prompts", self.prompts, "-o", out, "-n", ranks]
        tools.call([*words, "--quiet", *flags], self.chosen.timeout)
        return [json.loads(line)["tokens"] for line in out.read_text().splitlines()]


def differences(ours, expected):
    wrong = [row for row, (a, b) in enumerate(zip(ours, expected)) if a != b]
    problems = [] if len(ours) == len(expected) else [f"{len(ours)} rows, expected {len(expected)}"]
    return problems + [f"row {row} is {ours[row]}, expected {expected[row]}" for row in wrong[:2]] + ([f"{len(wrong)} rows differ"] if wrong else [])


def against_transformers(bench, tally):
    """One plan a cell and number of beams; the settings come from the model's file."""
    for ranks, stage, at_once, flags in CELLS:
        plans = {}
        for search in bench.theirs["searches"]:
            label = f"{bench.case.name} ranks {ranks} zero {stage} {search['name']}"
            bench.say(search["settings"])
            beams = search["settings"].get("num_beams", 1)
            try:
                if beams not in plans:
                    plans[beams] = bench.plan(ranks, stage, at_once)
                problems = differences(bench.generate(plans[beams], ranks, *flags), search["texts"])
            except pipeline.StageFailed as problem:
                problems = [str(problem)]
            tally.check(label, problems, f"{len(search['texts'])} prompts token for token")


def without_cache(bench, tally):
    """Greedy by `zprun eval`, an encoder-decoder's: the whole of what the decoder has said again for each new token."""
    rows, texts = bench.theirs["prompts"][:20], bench.theirs["searches"][0]["texts"][:20]
    start, length = bench.theirs["decoder_start_token_id"], 1 + NEW
    tokens = {name: np.zeros((len(rows), length), np.int32) for name in ("input_ids", "position_ids")}
    tokens["labels"], tokens["segment_ids"] = (np.full((len(rows), length), fill, np.int32) for fill in (-100, -1))
    names = ("source_ids", "source_position_ids", "source_segment_ids")
    tokens |= {name: np.full((len(rows), PROMPT), fill, np.int32) for name, fill in zip(names, (0, 0, -1))}
    for row, (prompt, text) in enumerate(zip(rows, texts)):
        tokens["input_ids"][row, : len(text) + 1] = [start, *text]
        tokens["labels"][row, 1 : len(text) + 1] = text
        tokens["position_ids"][row, : len(text) + 1] = np.arange(len(text) + 1)
        tokens["segment_ids"][row, : len(text) + 1] = 0
        tokens["source_ids"][row, : len(prompt)] = prompt
        tokens["source_position_ids"][row, : len(prompt)] = np.arange(len(prompt))
        tokens["source_segment_ids"][row, : len(prompt)] = 0
    save_file(tokens, bench.work / "eval.safetensors")
    source = ["--model", bench.model, "--adapter_name_or_path", bench.case.adapter]
    flags = {"max_source_length": PROMPT, "max_target_length": length, "per_device_train_batch_size": 2, "zero_stage": 0}
    plan = tools.make_plan(bench.chosen.bin, source, flags, bench.work / "eval", bench.chosen.timeout)
    logits = bench.work / "logits.safetensors"
    words = [bench.chosen.bin / "zprun", "eval", plan, *source, "--dataset", bench.work / "eval.safetensors"]
    tools.call([*words, "--logits", logits, "--rows", len(rows), "--quiet"], bench.chosen.timeout)
    best = load_file(logits)["logits"].argmax(-1)
    problems = [f"row {row}: with the cache {text}, without {best[row, : len(text)].tolist()}" for row, text in enumerate(texts) if best[row, : len(text)].tolist() != text]
    tally.check(f"{bench.case.name} greedy without a cache", problems[:3], f"{len(rows)} rows token for token")


def flag_words(settings):
    """The settings as flags of zprun."""

    def word(value):
        return str(value).lower() if isinstance(value, bool) else ",".join(map(str, value)) if isinstance(value, list) else str(value)

    return [text for name, value in settings.items() for text in (f"--{name}", word(value))]


def by_flags(bench, tally):
    """Flags say what the file says; a plan with room for more beams serves fewer."""
    bench.say({})
    plan = bench.plan(1, 0, 16, num_beams=5)
    for search in bench.theirs["searches"]:
        problems = differences(bench.generate(plan, 1, *flag_words(search["settings"])), search["texts"])
        tally.check(f"{bench.case.name} {search['name']} by flags", problems, "token for token")
    shadowed = bench.theirs["searches"][-1]
    problems = differences(bench.generate(plan, 1, "--shadow", *flag_words(shadowed["settings"])), shadowed["texts"])
    tally.check(f"{bench.case.name} {shadowed['name']} in shadow mode", problems, "token for token")


def refusals(bench, tally):
    bench.say({"num_beams": 3})
    plan = bench.plan(1, 0, 2, num_beams=2)

    def refused(label, code, says, run):
        try:
            run()
            tally.check(label, ["was not refused"])
        except pipeline.StageFailed as problem:
            good = problem.code == code and says in str(problem)
            tally.check(label, [] if good else [f"{problem}, expected exit {code} and '{says}'"], says)

    refused("more beams than the plan has", 2, "import again with --num_beams 3", lambda: bench.generate(plan, 1))
    refused("beams and draws", 2, "--num_beams: is 2", lambda: bench.generate(plan, 1, "--num_beams", 2, "--do_sample", "true"))
    refused("no beams at all", 2, "--num_beams: is 0", lambda: bench.generate(plan, 1, "--num_beams", 0))
    refused("a stop string without texts", 2, "--token_text true", lambda: bench.generate(plan, 1, "--num_beams", 1, "--stop_strings", "a"))
    if not bench.source:
        refused("a length that a prompt has", 2, "use --max_new_tokens", lambda: bench.generate(plan, 1, "--num_beams", 1, "--max_length", 2))

    def compile(*flags):
        model = bench.plan(1, 0, 4, num_beams=4).parent / "model.mlir"
        tools.call([bench.chosen.bin / "zpc", "compile", model, "-o", bench.work / "no.fb", *flags], bench.chosen.timeout)

    refused("beams that don't fit the budget", 3, "--generation_batch_size", lambda: compile("--memory_budget", "120KiB"))
    if bench.source:
        (bench.model / "generation_config.json").write_text("{}")
        says = "--decoder_start_token_id: is missing, also from generation_config.json"
        refused("no token to begin with", 2, says, lambda: bench.generate(plan, 1, "--num_beams", 1))


def words(chosen, work, tally):
    """`zp generate` in words: texts end where a stop string does, and a model with an encoder reads prompts as its source."""

    def texts(model, *flags):
        said = tools.call([chosen.bin / "zp", "generate", "--model", model, "--max_new_tokens", 12, "--json", "--quiet", *flags], chosen.timeout)
        return [json.loads(line) for line in said.splitlines() if line.startswith("{")]

    model, asked = work / "stops", ["--prompt", "open the path", "--prompt", "the file"]
    random_model.write_model(model, 32, 48, 2, 4, 2, 1024)
    shutil.copytree(tools.ROOT / "tests/python/golden/tokenizer", model, dirs_exist_ok=True)
    drawn = ["--do_sample", "true", "--temperature", 2, "--top_k", 0]  # untrained, greedy repeats itself
    whole = texts(model, *asked, *drawn)
    stop = re.search("[a-z]{3}", whole[0]["text"]).group()[1:]  # inside a token or over two
    stopped = texts(model, *asked, *drawn, "--stop_strings", "--- never said", "--stop_strings", stop)
    problems = []
    for before, after in zip(whole, stopped, strict=True):
        ends = stop in before["text"]
        if not before["text"].startswith(after["text"]) or ends and (stop not in after["text"] or after["ended"] != "eos"):
            problems.append(f"{before} became {after}")
        if not ends and before != after:
            problems.append(f"{before} became {after} without {stop!r}")
    if len(stopped[0]["text"]) >= len(whole[0]["text"]):
        problems.append(f"nothing was cut from {whole[0]}")
    ends = [[text["ended"] for text in texts(model, *asked, "--forced_eos_token_id", 2, *more)] for more in ([], ["--eos_token_id", 5])]
    problems += [] if ends == [["eos"] * 2, ["length"] * 2] else [f"the tokenizer's end: texts ended by {ends}"]
    tally.check("zp generate --stop_strings, --eos_token_id", problems, f"{whole[0]['text']!r} ends with {stopped[0]['text']!r}")

    model = work / "source"
    shutil.copytree(tools.ROOT / "tests/golden/cases/mt5_all_linear/model", model)
    for file in (tools.ROOT / "tests/python/golden/tokenizer-t5").glob("tokenizer*"):
        shutil.copy(file, model)
    asked, beams = ["--prompt", "help me", "--prompt", "the tweet that helps"], ["--num_beams", 3, "--no_repeat_ngram_size", 2]
    one = texts(model, *asked, *beams)
    two = texts(model, *asked, *beams, "--num_processes", 2, "--zero_stage", 3)
    problems = [] if one == two and len(one) == 2 and one[0]["text"] != one[1]["text"] else [f"one rank says {one}, two {two}"]
    problems += [] if texts(model, *asked) != one else ["beams change nothing"]
    tally.check("zp generate of an encoder-decoder", problems, repr(one[0]["text"]))

    by_file, by_flag = [], []
    for start in (0, 7):
        (model / "generation_config.json").write_text(json.dumps({"decoder_start_token_id": start}))
        by_file.append(texts(model, *asked))
        by_flag.append(texts(model, *asked, "--decoder_start_token_id", 7 - start))
    problems = [] if by_file == by_flag[::-1] and by_file[0] != by_file[1] else [f"files say {by_file}, flags {by_flag[::-1]}"]
    tally.check("zp generate --decoder_start_token_id", problems, "goes before generation_config.json")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", default=[])
    tools.add_arguments(parser)
    chosen = parser.parse_args()
    references = sorted((tools.ROOT / "tests/golden/generation/searches").glob("*.json"))
    references = [path for path in references if not chosen.case or path.stem in chosen.case]
    tally = tools.Tally()
    with tempfile.TemporaryDirectory(prefix="search-") as scratch:
        work = chosen.work_dir or Path(scratch)
        if not chosen.case:
            (work / "words").mkdir(parents=True)
            words(chosen, work / "words", tally)
        for number, path in enumerate(references):
            (case,) = find_cases(tools.ROOT / "tests/golden/cases", [path.stem])
            (work / case.name).mkdir(parents=True)
            bench = Bench(chosen, case, json.loads(path.read_text()), work / case.name)
            against_transformers(bench, tally)
            try:
                if number == 0 or bench.source:
                    by_flags(bench, tally)
                if bench.source:
                    without_cache(bench, tally)
                if number == 0:
                    refusals(bench, tally)
            except pipeline.StageFailed as problem:
                tally.check(case.name, [str(problem)])
    sys.exit(tally.close())


if __name__ == "__main__":
    main()

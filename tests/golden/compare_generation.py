#!/usr/bin/env python3
"""Draws models, prompts and settings, has transformers' `generate` (with PEFT's adapter) and zprun continue the prompts, and compares the tokens.
Needs PyTorch and PEFT (README.md: environment), so it isn't among tests/run.sh's and no part of CI.

    peers/bin/python tests/golden/compare_generation.py [--bin build/bin] [--first 0] [--count 20] [--searches 6] [--family llama ...] [--keep DIR]
                     --target cuda       on an emulated GPU, by zprun_emulated

A case is drawn from its number alone (reference/draw_generation.py). Prints a line a case, and one more for each search that isn't equal:

    equal                      every text token for token; of drawn tokens, counts that the reference's probabilities make likely
    within noise               texts that the reference makes too, in float64 or where its scores change by 1e-4; in 16 bits, texts that part
                               where the reference's scores of the two tokens are a tenth of their spread apart
    both refuse                neither the library nor the tools take it
    refused by ours            the tools alone refuse it, with the message
    refused by the reference   the library alone does
    DIFFERENT                  with texts of both; --keep leaves the case there
    CRASHED                    a tool ended otherwise than with an answer or a coded refusal, or this script did

The last line counts them. Exit 1 when any is DIFFERENT or CRASHED.
"""

import argparse
import contextlib
import functools
import json
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from unittest import mock

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from compare_random import FAILED, asked, numbers, parser_of_cases, write_inputs  # noqa: E402: before torch, whose environment it sets
from integration.support import pipeline, tools  # noqa: E402
from integration.support.golden_case import GoldenCase  # noqa: E402
from integration.support.turned_norm import turn_last_norm  # noqa: E402
from reference.draw_generation import Search, draw_generation, draw_search  # noqa: E402
from reference.job import Job  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
import torch  # noqa: E402
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList  # noqa: E402
from transformers.utils import logging  # noqa: E402

COUNT_PADDING = ("min_length", "max_length", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "forced_bos_token_id")  # in a batch
OF_WEIGHTS = ("bf16", "fp16", "use_4bit_quantization", "use_nested_quant")
NOT_OF_ZPRUN = ("pad_token_id", "bos_token_id", "use_cache")


class NoCase(Exception):
    """PEFT doesn't make the adapter, or doesn't open what it saved."""


class Noise(LogitsProcessor):
    """Scores changed a little; what is forbidden or forced stays so."""

    def __init__(self, seed, size):
        self.generator, self.size = torch.Generator().manual_seed(seed), size

    def __call__(self, input_ids, scores):
        return scores + self.size * (2 * torch.rand(scores.shape, generator=self.generator) - 1)


class Theirs:
    """The model as transformers opens it, with PEFT's adapter."""

    def __init__(self, drawn, folder, dtype=None):
        case = GoldenCase(folder)
        self.narrow = drawn.narrow
        if drawn.case.four_bit and not self.narrow:
            dtype = dtype or torch.float32  # its weights in plain linears: inference has kernels of its own
        if drawn.adapter_off or not drawn.case.lora:
            case.import_flags["use_peft_lora"] = "false"
        self.folder, self.double = folder / "model", dtype == torch.float64
        self.model = Job(case, dtype=dtype).model.eval()
        self.source = self.model.config.is_encoder_decoder

    def read_settings(self):
        """As from_pretrained does."""
        try:
            settings = GenerationConfig.from_pretrained(self.folder)
        except OSError:
            settings = GenerationConfig.from_pretrained(self.folder, config_file_name="config.json", _from_model_config=True)
        base = getattr(self.model, "base_model", self.model)
        for part in (self.model, base, getattr(base, "model", base)):
            part.generation_config = settings

    def generate(self, prompts, flags, noise=None, **more):
        """Prompts of unequal lengths get padding on the left, an encoder's on the right."""
        self.read_settings()
        longest = max(map(len, prompts))
        ids, mask = torch.zeros(2, len(prompts), longest, dtype=torch.long)
        for row, prompt in enumerate(prompts):
            place = slice(len(prompt)) if self.source else slice(longest - len(prompt), longest)
            ids[row, place], mask[row, place] = torch.tensor(prompt), 1
        arguments = dict(input_ids=ids, attention_mask=mask, logits_processor=LogitsProcessorList([] if noise is None else [Noise(*noise)]))
        if self.source:  # the reference's own cache has no place for a decoder of more layers than the encoder
            arguments["use_cache"] = False
        # Masks are fp32's lowest number: in float64 too, softmax is to be of the scores' own kind.
        same = mock.patch.object(torch.nn.functional, "softmax", lambda scores, dim=None, dtype=None, **_: scores.softmax(dim))
        with torch.no_grad(), same if self.double else contextlib.nullcontext():
            return self.model.generate(**{**arguments, **flags, **more}), self.given(longest)

    def given(self, length):
        return 1 if self.source else length

    def say(self, prompt, flags, **more):
        """The new tokens."""
        made, given = self.generate([prompt], flags, **more)
        return made[0, given:].tolist()

    def say_at_once(self, prompts, flags, like):
        """The new tokens of prompts in a batch. A text is as long as that in `like`, where behind that there is padding alone."""
        made, given = self.generate(prompts, flags)
        texts = [row[given:].tolist() for row in made]
        return [text[: len(other)] if len(set(text[len(other) :])) < 2 else text for text, other in zip(texts, like)]

    def scores(self, prompt, flags, **more):
        """Of each new token, what it was chosen by."""
        made, _ = self.generate([prompt], flags, output_scores=True, return_dict_in_generate=True, **more)
        return [scores[0] for scores in made.scores]


class Ours:
    """The same by zpc and zprun."""

    def __init__(self, drawn, folder, chosen):
        self.drawn, self.folder, self.chosen = drawn, folder, chosen
        self.model, self.adapter, self.plans = folder / "model", [], {}
        if drawn.case.lora:
            self.adapter = ["--adapter_name_or_path", folder / "adapter"]
        if drawn.merged:
            self.model = folder / "merged"
            self.call("zprun", "merge", "--model", folder / "model", *self.adapter, "-o", self.model)
            self.adapter = []
        self.prompts = folder / "prompts.safetensors"
        names = ("source_ids", "source_segment_ids") if drawn.case.seq2seq else ("input_ids", "segment_ids")
        columns = torch.full((2, len(drawn.prompts), max(map(len, drawn.prompts))), -1, dtype=torch.int32)
        for row, prompt in enumerate(drawn.prompts):
            columns[:, row, : len(prompt)] = torch.tensor([prompt, [0] * len(prompt)])
        save_file(dict(zip(names, columns)), self.prompts)

    def call(self, tool, *words):
        tools.call([self.chosen.bin / tool, *words, "--quiet"], self.chosen.timeout)

    def plan(self, beams):
        if beams not in self.plans:
            given = self.drawn.case.flags.items()
            flags = {**self.drawn.plan, **{name: value for name, value in given if name in OF_WEIGHTS or name.startswith("bnb_4bit")}}
            if "nvme" in flags.values():
                flags["nvme_path"] = self.folder / "nvme"
                flags["nvme_path"].mkdir(exist_ok=True)
            if beams > 1:
                flags["num_beams"] = beams + self.drawn.dice.choice([0, 0, 2])
            work = self.folder / f"beams{beams}"
            source, target = ["--model", self.model, *self.adapter], ["--target", self.chosen.target]
            self.plans[beams] = tools.make_plan(self.chosen.bin, source, flags, work, self.chosen.timeout, target)
        return self.plans[beams]

    def say(self, search):
        """The rows of the file that zprun writes."""
        if self.drawn.merged:
            for name in ("config.json", "generation_config.json"):
                (self.model / name).unlink(missing_ok=True)
                if (self.folder / "model" / name).exists():
                    shutil.copy(self.folder / "model" / name, self.model)
        out, plan = self.folder / "out.jsonl", self.plan(search.whole.get("num_beams", 1))
        words = ["generate", plan, "--model", self.model, *self.adapter, "--prompts", self.prompts, "-o", out]
        words += self.drawn.run if self.chosen.target == "cpu" else []
        words += ["--adapter", "off"] if self.drawn.adapter_off else []
        for name, value in search.flags.items():
            text = ",".join(map(str, value)) if isinstance(value, list) else str(value).lower()
            words += [] if name in NOT_OF_ZPRUN else [f"--{name}", text]
        tool = "zprun" if self.chosen.target == "cpu" else "zprun_emulated"
        self.call(tool, *words, "-n", self.drawn.plan["num_processes"])
        return [json.loads(line) for line in out.read_text().splitlines()]


class Judge:
    def __init__(self, drawn, folder, theirs):
        self.drawn, self.folder, self.theirs = drawn, folder, theirs

    @functools.cached_property
    def double(self):
        return Theirs(self.drawn, self.folder, dtype=torch.float64)

    def is_noise(self, prompt, flags, beams, ours, theirs):
        """Whether rounding decides between two texts."""
        if self.theirs.narrow and beams == 1:
            parts = [place for place, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]]
            if not parts:
                return False
            scores = self.theirs.scores(prompt, flags)[parts[0]]
            return scores.max() - scores[ours[parts[0]]] < 0.1 * max(scores[scores.isfinite()].std().item(), 0.3)
        noises = [None, *((seed, size) for size in (1e-5, 1e-4) for seed in range(6))]
        return any(model().say(prompt, flags, noise=noise) == ours for noise in noises for model in (lambda: self.double, lambda: self.theirs))

    def texts(self, search, flags, made, want):
        """(outcome, text)"""
        whole = search.whole
        if search.file is None:
            whole = {**json.loads((self.folder / "model/config.json").read_text()), **whole}
        ends = whole.get("eos_token_id")
        ends, noisy, wrong = ends if isinstance(ends, list) else [ends], False, []
        for row, (prompt, ours, theirs) in enumerate(zip(self.drawn.prompts, made, want, strict=True)):
            ended = "eos" if ours["tokens"] and ours["tokens"][-1] in ends else "length"
            if (ours["row"], ours["prompt_tokens"], ours["ended"]) != (row, len(prompt), ended):
                wrong.append(f"row {row} says {ours}, its last token {ended}")
            elif ours["tokens"] != theirs:
                noise = self.is_noise(prompt, flags, whole.get("num_beams") or 1, ours["tokens"], theirs)
                noisy |= noise
                wrong += [] if noise else [f"row {row} ({len(prompt)} tokens) is {ours['tokens']}, expected {theirs}"]
        return ("DIFFERENT", "; ".join(wrong[:3])) if wrong else ("within noise" if noisy else "equal", "")

    def draws(self, flags, made):
        """The first token, and the second behind the likeliest first."""
        prompt, texts = self.drawn.prompts[0], [row["tokens"] for row in made]
        first = Counter(text[0] for text in texts)
        likeliest = first.most_common(1)[0][0]
        second = Counter(text[1] for text in texts if text[0] == likeliest and len(text) > 1)
        more = dict(max_new_tokens=1)
        found = {"first": (first, self.theirs.scores(prompt, flags, **more)[0])}
        if not self.theirs.source:
            found["second"] = (second, self.theirs.scores([*prompt, likeliest], flags, **more)[0])
        chances = {place: likelihood(counts, scores.double().softmax(-1)) for place, (counts, scores) in found.items()}
        said = {place: f"{found[place][0].most_common(8)}, a likelihood of {p:.0e}" for place, p in chances.items() if p < 1e-5}
        wrong = [f"counts of the {place} token are {text}" for place, text in said.items()]
        return ("DIFFERENT", "; ".join(wrong)) if wrong else ("equal", "")


def likelihood(counts, probabilities):
    """Of counts so far from what is expected or farther: Pearson's chi-square, with tokens that are expected less than 8 times in one bin. 0 where
    a token came that can't."""
    total = sum(counts.values())
    seen = torch.tensor([counts[token] for token in range(len(probabilities))], dtype=torch.float64)
    expected = total * probabilities
    if (seen[expected < 1e-6] > 0).any():
        return 0.0
    often = expected >= 8
    bins = [*zip(seen[often], expected[often])]
    if expected[~often].sum() >= 4:
        bins.append((seen[~often].sum(), expected[~often].sum()))
    if len(bins) < 2:
        return 1.0
    distance = sum((one - other) ** 2 / other for one, other in bins)
    return torch.special.gammaincc(torch.tensor((len(bins) - 1) / 2, dtype=torch.float64), distance / 2).item()


def write_settings(folder, search):
    path = folder / "model/generation_config.json"
    path.unlink(missing_ok=True)
    if search.file is not None:
        path.write_text(json.dumps(search.file))


def arguments_of(search):
    """Of two lengths zprun takes the flag's before the file's, the reference new tokens before all."""
    flags = dict(search.flags)
    if "max_length" in flags and "max_new_tokens" not in flags:
        flags["max_new_tokens"] = None
    return flags


def run_search(search, ours, theirs, judge):
    """(outcome, text)"""
    drawn, flags = ours.drawn, arguments_of(search)
    write_settings(ours.folder, search)
    want = refusal = made = None
    try:
        if not drawn.draws:
            want = [theirs.say(prompt, flags) for prompt in drawn.prompts]
            if not any(name in search.whole for name in COUNT_PADDING):
                batched = theirs.say_at_once(drawn.prompts, flags, want)
                want = want if theirs.narrow else batched
        else:
            theirs.scores(drawn.prompts[0], flags, max_new_tokens=1)
    except Exception as problem:  # the library refuses with exceptions of every kind
        refusal = f"{type(problem).__name__}: {' '.join(str(problem).split())[:200]}"
    refused, made = asked(lambda: ours.say(search), refusal)
    if refused:
        return refused
    return judge.draws(flags, made) if drawn.draws else judge.texts(search, flags, made, want)


def open_case(drawn, folder):
    try:
        write_inputs(drawn.found, folder)
        if drawn.turned:
            turn_last_norm(folder / "model")
        return Theirs(drawn, folder)
    except (ValueError, RuntimeError) as problem:  # of PEFT: nothing to adapt, or patterns that name two adapters' modules
        raise NoCase(f"{type(problem).__name__}: {' '.join(str(problem).split())[:200]}") from problem


def run_case(drawn, folder, chosen):
    """Yields (outcome, text) of each search."""
    theirs = open_case(drawn, folder)
    ours, judge = None, Judge(drawn, folder, theirs)
    write_settings(folder, Search({"decoder_start_token_id": 3} if theirs.source else {}, {}))
    said = [] if drawn.draws else [theirs.say(prompt, dict(max_new_tokens=drawn.most_new)) for prompt in drawn.prompts]
    often = [token for token, _ in Counter(token for text in said for token in sorted(set(text))).most_common(8)]
    likely = often + [token for token in range(4, 12) if token not in often][:3]
    for _ in range(3 if drawn.draws else chosen.searches):
        search = draw_search(drawn, likely)
        try:
            ours = ours or Ours(drawn, folder, chosen)
        except pipeline.StageFailed as problem:  # of merge
            yield ("refused by ours" if problem.refused else "CRASHED"), str(problem)
            return
        outcome, text = run_search(search, ours, theirs, judge)
        yield outcome, f"file {search.file}, flags {search.flags}: {text}"
        if outcome == "refused by ours" and not ours.plans:
            return  # the model or its adapter


def describe(drawn):
    case = drawn.case
    kind = [case.family, "LoRA" if case.lora else "base", *(name for name in ("bf16", "fp16") if name in case.flags)]
    may = {"4 bits": case.four_bit, "merged": drawn.merged, "adapter off": drawn.adapter_off, "drawn": drawn.draws}
    kind += [name for name, on in may.items() if on]
    lengths = [len(prompt) for prompt in drawn.prompts[:9]]
    plan = ", ".join(f"{name} {value}" for name, value in drawn.plan.items() if name != "generate")
    return " ".join([*kind, f"of {lengths} tokens,", plan, *drawn.run])


def results_of(drawn, folder, chosen):
    results = []
    if chosen.target == "cuda" and drawn.draws:
        drawn.prompts = drawn.prompts[:200]  # the emulation is slow
    try:
        results.extend(run_case(drawn, folder, chosen))
    except NoCase as problem:
        results.append(("refused by the reference", f"no case: {problem}"))
    except Exception as problem:  # of this script: the other cases still run
        results.append(("CRASHED", f"{Path(__file__).name}: {type(problem).__name__}: {problem}"))
    return results


def main():
    parser = parser_of_cases(__doc__)
    parser.add_argument("--searches", type=int, default=6, help="settings that each model is asked by")
    parser.add_argument("--target", choices=("cpu", "cuda"), default="cpu", help="of zpc compile")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable_progress_bar()
    warnings.simplefilter("ignore")  # of the library, about settings that it finds odd
    counts = Counter()
    with tempfile.TemporaryDirectory(prefix="compare-generation-") as scratch:
        for number, drawn in numbers(chosen, draw_generation):
            folder, begun = Path(scratch) / drawn.case.name, time.monotonic()
            results = results_of(drawn, folder, chosen)
            outcomes = Counter(outcome for outcome, _ in results)
            said = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
            print(f"{number} ({describe(drawn)}; {time.monotonic() - begun:.0f} s): {said}", flush=True)
            for outcome, text in results:
                if outcome != "equal":
                    print(f"    {outcome}: {text}", flush=True)
            counts += outcomes
            if chosen.keep and any(outcomes[outcome] for outcome in FAILED) and folder.exists():
                shutil.copytree(folder, chosen.keep / folder.name, dirs_exist_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.most_common()))
    sys.exit(1 if any(counts[outcome] for outcome in FAILED) else 0)


if __name__ == "__main__":
    main()

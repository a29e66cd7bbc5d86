#!/usr/bin/env python3
"""Makes the continuations that tests/integration/generate_test.py holds `zprun generate` to, by PEFT and transformers (README.md).

make_continuations.py [--case NAME ...]     writes NAME.json beside this file

Prompts of unequal lengths, each continued by itself by `generate` (greedy, with its cache), the adapter on and off; the same with a
repetition penalty. The end token is one that the first continuation has, so that rows end at different times. Where the two most
probable tokens are closer than GAP, an fp32 implementation may choose either: such a set of prompts is not taken.
"""

import argparse
import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1])]
os.environ.update(HF_HUB_OFFLINE="1", CUDA_VISIBLE_DEVICES="", TRANSFORMERS_VERBOSITY="error")

import torch  # noqa: E402
from integration.support.golden_case import find_cases  # noqa: E402
from reference.job import Job  # noqa: E402

CASES = ["llama_gqa_fp32", "qwen2_packed", "mistral_window"]
LENGTHS = [5, 1, 19, 2, 12, 8, 20]
NEW_TOKENS = 12
PENALTY = 1.3
GAP = 1e-3


class TooClose(Exception):
    pass


def continue_prompt(model, prompt, **settings):
    """The new tokens."""
    out = model.generate(
        input_ids=torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        do_sample=False,
        max_new_tokens=NEW_TOKENS,
        pad_token_id=0,
        output_scores=True,
        return_dict_in_generate=True,
        **settings,
    )
    for scores in out.scores:
        first, second = scores[0].topk(2).values.tolist()
        if first - second < GAP:
            raise TooClose
    return out.sequences[0, len(prompt) :].tolist()


def continuations(model, prompts, **settings):
    on = [continue_prompt(model, prompt, **settings) for prompt in prompts]
    with model.disable_adapter():
        return {"adapter_on": on, "adapter_off": [continue_prompt(model, prompt, **settings) for prompt in prompts]}


def fixture(model, vocabulary, seed):
    generator = torch.Generator().manual_seed(seed)
    prompts = [torch.randint(3, vocabulary, (n,), generator=generator).tolist() for n in LENGTHS]
    end = continue_prompt(model, prompts[0], eos_token_id=None)[4]
    found = {"eos_token_id": end, "max_new_tokens": NEW_TOKENS, "repetition_penalty": PENALTY, "prompts": prompts}
    found["greedy"] = continuations(model, prompts, eos_token_id=end)
    found["penalized"] = continuations(model, prompts, eos_token_id=end, repetition_penalty=PENALTY)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", default=[])
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    for case in find_cases(HERE.parent / "cases", chosen.case or CASES):
        model = Job(case).model.eval()
        for seed in range(1000):
            try:
                found = fixture(model, model.config.vocab_size, seed)
                break
            except TooClose:
                continue
        else:
            raise SystemExit(f"{case.name}: no prompts whose continuations are {GAP} clear")
        found["versions"] = {name: version(name) for name in ("torch", "transformers", "peft")}
        (HERE / f"{case.name}.json").write_text(json.dumps(found, separators=(", ", ": ")) + "\n")
        ended = sum(row[-1] == found["eos_token_id"] for kind in ("greedy", "penalized") for rows in found[kind].values() for row in rows)
        moved = sum(a != b for a, b in zip(found["greedy"]["adapter_on"], found["greedy"]["adapter_off"], strict=True))
        print(f"{case.name}: seed {seed}, {ended} of {4 * len(LENGTHS)} rows end by token {found['eos_token_id']}, {moved} differ by the adapter")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Makes the texts that tests/integration/generate_search_test.py holds `zprun generate` to, by PEFT and transformers (README.md).

make_searches.py [--case NAME ...]     writes searches/NAME.json beside this file

Prompts of unequal lengths, each continued by itself by `generate` with the adapter on: greedy and with 4 beams, with and without
n-grams that may not come twice and forced tokens. The end token is one that texts often have, so that rows end at different times.
Models whose head is their embedding get a norm with turned signs (support/turned_norm.py). A prompt is left out where a text changes when scores change by NOISE: there an fp32 implementation may choose otherwise.
"""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1])]
os.environ.update(HF_HUB_OFFLINE="1", CUDA_VISIBLE_DEVICES="", TRANSFORMERS_VERBOSITY="error")

import torch  # noqa: E402
from integration.support.golden_case import GoldenCase, find_cases  # noqa: E402
from integration.support.turned_norm import turn_last_norm  # noqa: E402
from reference.job import Job  # noqa: E402
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList  # noqa: E402

# Prompts of each case. A family has one of 200.
CASES = {
    "llama_gqa_fp32": 200,
    "qwen2_packed": 40,
    "qwen3_patterns": 200,
    "mistral_window": 40,
    "bart_qv": 200,
    "t5_all_linear": 200,
    "mt5_all_linear": 200,
    "bloom_left_padded": 200,
    "falcon_groups": 200,
    "falcon_multi_query": 200,
    "falcon_alibi": 40,
    "falcon_sequential_bias": 40,
}
LONGEST = 20
NEW_TOKENS = 10
NOISE = 1e-4


class Noise(LogitsProcessor):
    """Scores changed a little; what is forbidden or forced stays so."""

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, input_ids, scores):
        return scores + NOISE * (2 * torch.rand(scores.shape, generator=self.generator) - 1)


def searches_of(end, source):
    """Settings under the names of generation_config.json. `source`: an encoder-decoder, whose first token can be forced."""
    forced = {"forced_bos_token_id": 7, "forced_eos_token_id": end} if source else {"forced_eos_token_id": end}
    common = {"eos_token_id": end, "max_new_tokens": NEW_TOKENS}
    beams = {**common, "num_beams": 4}
    return {
        "greedy": common,
        "greedy once": {**common, "no_repeat_ngram_size": 2, **forced},
        "beams": beams,
        "beams once": {**beams, "no_repeat_ngram_size": 3, "early_stopping": True, "length_penalty": 2.0, **forced},
        "beams held back": {**beams, "early_stopping": "never", "min_new_tokens": 4, "length_penalty": 0.5, "suppress_tokens": [11, 12, 13]},
    }


def say(model, prompt, settings, noise=None):
    """The new tokens; of an encoder-decoder all that the decoder says."""
    source = model.config.is_encoder_decoder
    out = model.generate(
        input_ids=torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        do_sample=False,
        use_cache=not source,  # the reference's own has no place for a decoder of more layers than the encoder
        pad_token_id=0,
        logits_processor=LogitsProcessorList([] if noise is None else [Noise(noise)]),
        **({"decoder_start_token_id": model.config.decoder_start_token_id} if source else {}),
        **settings,
    )
    return out[0, 1 if source else len(prompt) :].tolist()


def model_of(case, turned):
    """The model with its adapter, and no settings but those that it is given."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / case.name
        shutil.copytree(case.folder, folder)
        if turned:
            turn_last_norm(folder / "model")
        model = Job(GoldenCase(folder)).model.eval()
    for part in (model, model.base_model, model.base_model.model):
        part.generation_config = GenerationConfig()
    return model


def settled(model, prompt, searches):
    """What is said by each search; None where rounding may choose."""
    texts = {}
    for name, settings in searches.items():
        texts[name] = say(model, prompt, settings)
        if any(say(model, prompt, settings, seed) != texts[name] for seed in range(2)):
            return None
    return texts


def draw_prompt(rng, vocabulary):
    return [rng.randrange(4, vocabulary) for _ in range(rng.choice([1, 2, 3]) if rng.random() < 0.2 else rng.randint(2, LONGEST))]


def likely_end(model, rng, vocabulary):
    """A token that many texts have, and few begin with."""
    texts = [say(model, draw_prompt(rng, vocabulary), {"eos_token_id": None, "max_new_tokens": NEW_TOKENS}) for _ in range(12)]
    counts = Counter(token for text in texts for token in set(text[2:]) - set(text[:2]) if token > 13)
    return counts.most_common(1)[0][0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", default=[])
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    for case in find_cases(HERE.parent / "cases", chosen.case or list(CASES)):
        turned = not case.name.startswith(("llama", "qwen", "mistral"))
        model = model_of(case, turned)
        source = model.config.is_encoder_decoder
        rng = random.Random(case.name)
        vocabulary = model.config.vocab_size
        end = likely_end(model, rng, vocabulary)
        searches = searches_of(end, source)
        prompts, texts, left_out = [], {name: [] for name in searches}, 0
        while len(prompts) < CASES[case.name]:
            prompt = draw_prompt(rng, vocabulary)
            found = settled(model, prompt, searches)
            left_out += found is None
            if found:
                prompts.append(prompt)
                for name, text in found.items():
                    texts[name].append(text)
        entries = [
            json.dumps({"name": name, "settings": settings, "texts": texts[name]}, separators=(",", ":")) for name, settings in searches.items()
        ]
        start = model.config.decoder_start_token_id if source else None
        versions = {name: version(name) for name in ("torch", "transformers", "peft")}
        head = {"versions": versions, "turned_norm": turned, "decoder_start_token_id": start, "prompts": prompts}
        target = HERE / "searches" / f"{case.name}.json"
        target.parent.mkdir(exist_ok=True)
        target.write_text(json.dumps(head, separators=(",", ":"))[:-1] + ',"searches":[\n' + ",\n".join(entries) + "\n]}\n")
        ended = sum(text[-1] == end for text in texts["beams"])
        moved = {name: sum(a != b for a, b in zip(texts[name], texts["greedy"], strict=True)) for name in list(searches)[1:]}
        print(f"{case.name}: {len(prompts)} prompts, {left_out} left out, {ended} texts of beams end by token {end}, other than greedy: {moved}")


if __name__ == "__main__":
    main()

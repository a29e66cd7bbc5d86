"""Draws the cases of compare_generation.py: what a model is asked to continue, by which settings, and how zprun makes it. The model and its
adapter are those of the training case of that number (draw.py)."""

from dataclasses import dataclass

from .draw import Draw
from .draw import draw as draw_training
from .draw_models import Dice
from .encoder_decoders import FAMILIES as ENCODER_DECODERS

# What an adapter of one of these is merged into may be tied to others.
EMBEDDINGS = {"embed_tokens", "word_embeddings", "shared", "lm_head"}
DRAWS = 2000  # texts of one prompt, where tokens are drawn


@dataclass
class Generation:
    found: Draw
    prompts: list
    most_new: int  # tokens of a text
    plan: dict  # flags of zpc import
    run: list  # flags of zprun
    merged: bool  # zprun merges the adapter before, the reference doesn't
    adapter_off: bool
    draws: bool  # tokens are drawn
    turned: bool  # the norm before the head: many models that have the embedding for a head else repeat the last token for ever
    dice: Dice  # for the searches, which take tokens that the model says

    @property
    def case(self):
        return self.found.case

    @property
    def narrow(self):
        return "bf16" in self.case.flags or "fp16" in self.case.flags


@dataclass
class Search:
    file: dict | None  # generation_config.json; None: there is none, and config.json says
    flags: dict  # of zprun generate, arguments of the reference's generate

    @property
    def whole(self):
        return {**(self.file or {}), **self.flags}


def draw_prompts(dice, longest, vocabulary):
    few = dice.sample(range(vocabulary), 4)  # words that come again and again

    def prompt():
        length = dice.choice([1, 1, 2, 3]) if dice.chance(0.25) else dice.randint(2, longest)
        words = few if dice.chance(0.3) else range(vocabulary)
        return [dice.choice(words) for _ in range(length)]

    return [prompt() for _ in range(dice.randint(3, 9))]


def draw_generation(number):
    found, dice = draw_training(number), Dice(f"generation {number}")
    case, config = found.case, {**found.case.shape, **found.case.config}
    seq2seq, narrow = case.family in ENCODER_DECODERS, "bf16" in case.flags or "fp16" in case.flags
    draws = not narrow and not case.four_bit and dice.chance(0.12)
    most_new = 2 if draws else dice.choice([1, 3, 8, 12, 16])
    longest = dice.choice([5, 12, 20, 40, 90])
    room = config.get("max_position_embeddings")
    if room:
        longest = min(longest, room if seq2seq else room - most_new)
    prompts = draw_prompts(dice, longest, config.get("vocab_size", 101))
    if draws:
        prompts = [prompts[0]] * DRAWS
    longest = max(map(len, prompts))
    spare = dice.choice([0, 0, 1, 7])
    plan = {
        "generate": "true",
        "generation_batch_size": 100 if draws else dice.choice([1, 2, 3, 5, 9]),
        "num_processes": dice.choice([1, 1, 1, 2, 2, 3, 4]),
        "zero_stage": dice.choice([0, 0, 1, 2, 3, 3]),
        "stage3_param_persistence_threshold": dice.choice([0, 0, 1000, 100000]),
    }
    length = longest if seq2seq else longest + most_new
    length += spare if not room or length + spare <= room else 0
    plan.update(dict(max_source_length=length, max_target_length=1 + most_new) if seq2seq else dict(max_length=length))
    dice.maybe(plan, 0.8, prefill_length=[1, 2, 5, 8, 64])
    dice.maybe(plan, 0.1, offload_param_device=["cpu", "nvme"])
    dice.maybe(plan, 0.15, dequant_cache_bytes=[100000], prefetch_distance=[0, 2])
    run = dice.choice([["--shadow"], ["--reference"], ["--kernel_path", "portable"], ["--threads", "2"]]) if dice.chance(0.2) else []
    alone = case.lora and not EMBEDDINGS & set(case.lora.get("target_modules") or [])
    merged = bool(alone) and not case.four_bit and case.stored == "float32" and dice.chance(0.15)
    off = bool(case.lora) and not merged and dice.chance(0.1)
    turned = not case.prequantised and not case.shards and case.stored != "bfloat16" and dice.chance(0.7)
    return Generation(found, prompts, most_new, plan, run, merged, off, draws, turned, dice)


def draw_drawing(dice):
    """Settings of tokens that are drawn."""
    settings = dict(do_sample=True)
    dice.maybe(settings, 0.7, temperature=[0.1, 0.5, 0.7, 1.0, 1.7, 3.0, 5.0])
    dice.maybe(settings, 0.6, top_k=[0, 1, 2, 3, 5, 10, 50, 1000])
    dice.maybe(settings, 0.5, top_p=[0.0, 0.01, 0.3, 0.5, 0.9, 0.95, 0.99, 1.0])
    dice.maybe(settings, 0.3, min_p=[0.0, 0.01, 0.1, 0.3, 1.0])
    dice.maybe(settings, 0.2, repetition_penalty=[1.3, 0.7], no_repeat_ngram_size=[1, 2], suppress_tokens=[[7, 8, 9, 10]])
    dice.maybe(settings, 0.1, renormalize_logits=[True], num_beams=[1], early_stopping=[True])
    return settings


def draw_texts(dice, drawn, likely):
    """Settings of a search for the most probable text."""
    given = 1 if drawn.case.seq2seq else max(map(len, drawn.prompts))
    settings, kind = {}, dice.random()
    if kind < 0.7:
        settings["max_new_tokens"] = dice.choice([drawn.most_new, drawn.most_new, dice.randint(1, drawn.most_new)])
    if kind > 0.6:
        settings["max_length"] = given + dice.randint(1, drawn.most_new)
    if dice.chance(0.8):
        settings["eos_token_id"] = dice.choice([dice.choice(likely), dice.sample(likely, dice.randint(1, 3)), 2])
    dice.maybe(settings, 0.25, min_new_tokens=[0, 1, 3, 6], min_length=[0, 1, 4, 9, 15], repetition_penalty=[1.3, 0.7, 2.0, 1.05, 1.0])
    dice.maybe(settings, 0.3, no_repeat_ngram_size=[0, 1, 2, 2, 3, 4])
    dice.maybe(settings, 0.2, encoder_no_repeat_ngram_size=[0, 1, 2, 3, 4])
    some = [dice.sample(likely, count) for count in (1, 2, 3)]
    dice.maybe(settings, 0.15, suppress_tokens=some, begin_suppress_tokens=some)
    dice.maybe(settings, 0.4 if drawn.case.seq2seq else 0.1, forced_bos_token_id=likely)
    if not drawn.narrow and dice.chance(0.55):
        settings["num_beams"] = dice.choice([2, 3, 4, 5, 9])
        dice.maybe(settings, 0.6, early_stopping=[True, False, "never"], length_penalty=[0.0, 0.5, 1.0, 2.0, -1.0, 1.5])
        dice.maybe(settings, 0.2, forced_eos_token_id=[*likely, 2])
    else:
        dice.maybe(settings, 0.05, num_beams=[1], early_stopping=[True, "never"], length_penalty=[0.5])
        dice.maybe(settings, 0.2, forced_eos_token_id=[*likely, *some[1:], 2])  # beams may take either of several
    dice.maybe(settings, 0.1, renormalize_logits=[True, False], pad_token_id=[0, 5], bos_token_id=[1, 6])
    dice.maybe(settings, 0.05, temperature=[0.3], top_k=[3], top_p=[0.5], do_sample=[False], use_cache=[True, False])
    return settings


def draw_search(drawn, likely):
    """`likely`: tokens that the model says. Settings are said by the file, by flags, or some by each, a few by both."""
    dice, most_new = drawn.dice, drawn.most_new
    start = dict(decoder_start_token_id=dice.choice([3, 3, 7])) if drawn.case.seq2seq else {}
    settings = draw_drawing(dice) if drawn.draws else draw_texts(dice, drawn, likely)
    kind = dice.random()
    if kind < 0.45:
        return Search({**start, **settings}, {})
    if kind < 0.55 or drawn.draws:
        return Search(dict(start), settings)
    if kind < 0.65:
        return Search(None, {**start, **settings})
    search = Search(start, {})
    for name, value in settings.items():
        (search.file if dice.chance(0.5) else search.flags)[name] = value
    others = dict(max_new_tokens=[1, most_new], no_repeat_ngram_size=[2, 0], num_beams=[1], repetition_penalty=[1.2], min_length=[3])
    dice.maybe(search.flags, 0.3, **{name: values for name, values in others.items() if name in search.file})
    return search

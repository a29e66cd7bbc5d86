"""Draws the cases of compare_random.py: what is trained, from which files, and how zprun runs it, all of it from a case's number.

The cases keep to what the reference can express, and away from gradients that are 0 in truth and only rounding in either program, which Adam
makes as large as any other (README.md)."""

import json
import re
import zlib
from dataclasses import dataclass, field

import numpy as np

from .cases import Case
from .draw_models import LINEARS, Dice, divisors, draw_model
from .encoder_decoders import FAMILIES as ENCODER_DECODERS

ROTARY = ("llama", "mistral", "qwen2", "qwen3")
FAMILIES = (*ROTARY, "falcon", "bloom", *ENCODER_DECODERS)
# How often each is drawn.
FAMILY_OF_A_CASE = ["llama"] * 3 + ["mistral"] + 2 * ["qwen2", "qwen3", "falcon", "bloom", "bart", "t5"] + ["mt5"]
# What LoRA can also be and zpc doesn't know, or knows only one value of.
UNKNOWN_VARIANTS = [
    dict(use_dora=True),
    dict(lora_bias=True),
    dict(trainable_token_indices=[3, 5]),
    dict(ensure_weight_tying=True),
    dict(target_parameters=["mlp.up_proj.weight"]),
    dict(use_qalora=True),
    dict(init_lora_weights="olora"),
    dict(init_lora_weights="pissa"),
]
# LoraConfig's arguments that flags of zpc import have other names for; the rest start with lora_.
FLAG_NAMES = {"r": "lora_r", "lora_alpha": "lora_alpha", "use_rslora": "use_rslora", "target_modules": "lora_target_modules"}


@dataclass
class Draw:
    case: Case
    ranks: int
    zero_stage: int
    flags: dict = field(default_factory=dict)  # of zpc import, beside the case's: these must change no result
    fewer_keys: bool = False  # config.json leaves out some of what is its class's default
    adapter_dtype: str | None = None  # what the adapter's file holds, other than fp32


def draw_targets(dice, model):
    """None: PEFT's default. PEFT takes a text for a regular expression of whole names and "all-linear" for what it says."""
    names, blocks = model.names, model.blocks.split(".")[-1]
    some = dice.sample(names, dice.randint(1, len(names)))
    kind = dice.random()
    if kind < 0.3:
        return dice.choice(["all-linear", "all-linear", "ALL-LINEAR"])
    if kind < 0.68:
        return some if dice.chance(0.8) else [names[0]]
    if kind < 0.7:
        return names[0]
    if kind < 0.85:
        either = "|".join(some)
        return dice.choice(
            [
                rf".*\.({either})",
                rf".*\.{blocks}\.(\d+)\..*\.({either})",
                rf".*{blocks}\.[0]\..*({either})$",
                rf"(?!.*{names[0]}).*\.({either}|{names[1]})",
            ]
        )
    if kind < 0.92:
        return [f"{blocks}.0.{path}" for path in LINEARS[model.linears][: dice.randint(1, 4)]]
    if kind < 0.95:
        return dice.choice([["lm_head", names[0]], [model.embedding, names[0]]])
    return None


def draw_lora(dice, model, biased):
    """LoraConfig's arguments."""
    names, parts, paths, blocks = model.names, model.parts, LINEARS[model.linears], model.blocks.split(".")[-1]
    lora = dict(r=dice.choice([1, 2, 4, 7, 8]), lora_alpha=dice.choice([1, 8, 16, 12]))
    targets = draw_targets(dice, model)
    if targets is not None:
        lora["target_modules"] = targets
    excluded = [dice.sample(names, 1), r".*\.0\..*", [f"{blocks}.0.{paths[0]}"], rf".*({names[-1]}|{names[0]})"]
    dice.maybe(lora, 0.2, exclude_modules=excluded)
    if not isinstance(targets, str) and dice.chance(0.25):  # PEFT refuses these beside a text
        lora["layers_to_transform"] = dice.choice([0, [0], [model.layers - 1], list(range(model.layers)), [0, model.layers - 1]])
        dice.maybe(lora, 0.5, layers_pattern=[blocks, [blocks]])
    if dice.chance(0.3):
        places = [rf"{blocks}\.0\..*", f"{blocks}.0.{paths[0]}", rf"^{re.escape(model.blocks)}\.0\.{paths[-1]}"]
        keys = [*names, *places, names[0] + "$", "|".join(names[:2]), f"{parts[0]}.{names[0]}"]
        for pattern, values in (("rank_pattern", [1, 3, 5, 9]), ("alpha_pattern", [2, 5, 20, 3])):
            if dice.chance(0.7):
                lora[pattern] = {key: dice.choice(values) for key in dice.sample(keys, dice.randint(1, 3))}
    dice.maybe(lora, 0.3, use_rslora=[True])
    dice.maybe(lora, 0.4 if biased else 0.1, bias=["all", "lora_only"])
    saved = [["lm_head"], [dice.choice(model.norms)], dice.sample(model.norms, 2)]
    if model.linears in ("rotary", "fused"):
        saved += [[model.embedding], [model.embedding, "lm_head"], [parts[1]], [f"{blocks}.0.{parts[1]}"], [names[-1]]]
    dice.maybe(lora, 0.25, modules_to_save=saved)
    return lora


def as_flags(lora):
    """The same wishes as flags of zpc import, for an adapter that the seed makes."""

    def spell(value):
        if isinstance(value, list):
            return ",".join(map(str, value))
        return json.dumps(value) if isinstance(value, dict) else str(value).lower() if isinstance(value, bool) else value

    # Without targets PEFT takes its default and zpc every linear.
    chosen = {"target_modules": "all-linear", **lora}
    return {FLAG_NAMES.get(name, f"lora_{name}"): spell(value) for name, value in chosen.items()}


def draw_schedule(dice, flags):
    options = {
        "constant": [{}],
        "constant_with_warmup": [{}],
        "linear": [{}],
        "cosine": [{}, dict(num_cycles=0.5), dict(num_cycles=1), dict(num_cycles=0.25)],
        "cosine_with_restarts": [dict(num_cycles=1), dict(num_cycles=2), dict(num_cycles=3)],
        "polynomial": [{}, dict(power=2.0), dict(lr_end=1e-4, power=0.5)],
        "inverse_sqrt": [{}, dict(timescale=5)],
        "cosine_with_min_lr": [dict(min_lr=1e-4), dict(min_lr_rate=0.2), dict(min_lr_rate=0.1, num_cycles=1)],
        "cosine_warmup_with_min_lr": [dict(min_lr=1e-4), dict(min_lr_rate=0.2), dict(min_lr_rate=0.1, warmup_lr_rate=0.3)],
        "warmup_stable_decay": [
            dict(num_decay_steps=3),
            dict(num_decay_steps=3, num_stable_steps=2, min_lr_ratio=0.1, decay_type="linear"),
            dict(num_decay_steps=4, warmup_type="cosine", decay_type="1-sqrt"),
            dict(num_decay_steps=2, warmup_type="1-sqrt", decay_type="cosine", min_lr_ratio=0.2),
        ],
    }
    kind = dice.choice(list(options))
    arguments = dice.choice(options[kind])
    flags["lr_scheduler_type"] = kind
    if arguments:
        flags["lr_scheduler_kwargs"] = json.dumps(arguments)
    flags.update(dice.choice([{}, {}, dict(warmup_steps=dice.choice([1, 2, 3, 0.1, 0.3, 0.5])), dict(warmup_ratio=dice.choice([0.3, 0.12]))]))


def draw_updates(dice):
    """The flags of the optimizer, the schedule and the order of rows."""
    flags = dict(
        max_steps=dice.choice([6, 7, 8]),
        learning_rate=dice.choice([1e-3, 3e-3]),
        per_device_train_batch_size=dice.choice([2, 4, 4, 6]),
        adam_epsilon=dice.choice([1e-8, 1e-6, 1e-4]),
    )
    if dice.chance(0.5):
        draw_schedule(dice, flags)
    dice.maybe(flags, 0.4, weight_decay=[0.1, 0.3], max_grad_norm=[0, 0.05, 0.5])
    dice.maybe(flags, 0.25, adam_beta1=[0.8, 0.95, 0.0], adam_beta2=[0.95, 0.99])
    dice.maybe(flags, 0.35, gradient_accumulation_steps=[2, 3])
    if dice.chance(0.3):
        flags.update(train_sampling_strategy="random", seed=dice.randint(0, 9999))
    dice.maybe(flags, 0.15, data_seed=range(1000))
    return flags


def draw_rows(dice, family, flags):
    rows = dict(count=dice.choice([8, 12, 12, 14, 20, 22]))
    if family in ENCODER_DECODERS:
        return rows
    length = dice.choice([24, 24, 17, 32, 9])
    if family == "bloom":
        rows.update(left=dice.chance(0.6), uneven=dice.chance(0.4))
    elif family == "falcon":
        rows["uneven"] = dice.chance(0.4)
    else:
        rows.update(dice.choice([dict(packed=True), dict(packed=True), dict(left=True), dict(uneven=True), {}, {}]))
    if any(rows.get(kind) for kind in ("packed", "left", "uneven")):
        length = max(length, 17)
    rows["length"] = flags["max_length"] = length
    return rows


def draw_four_bits(dice, case, model, flags):
    """bitsandbytes is right on every CPU for 64 inputs or no multiple of 16 (README.md): the shapes are drawn anew."""
    wide = dice.chance(0.4)
    four = {"use_4bit_quantization": "true"}
    dice.maybe(four, 0.5, use_nested_quant=["true"], bnb_4bit_quant_type=["nf4", "fp4"])
    inside = f"{model.blocks}.0" + (".layer.0" if model.linears in ("t5", "gated") else f".{model.parts[0]}")
    dice.maybe(four, 0.3, bnb_4bit_skip_modules=[model.names[0], f"{model.blocks}.0", inside])
    if model.linears in ("t5", "gated"):
        model.config.update(d_model=64 if wide else dice.choice([45, 33]), d_kv=dice.choice([7, 10]), num_heads=dice.choice([1, 3]))
    elif case.family == "falcon":
        heads = dice.choice([1, 3, 5])
        model.shape.update(hidden_size=10 * heads, num_attention_heads=heads)
        if "num_kv_heads" in model.config:
            model.config["num_kv_heads"] = dice.choice([1, heads])
    else:
        heads = 4 if wide else 3
        model.shape.update(
            hidden_size=64 if wide else dice.choice([45, 33]),
            intermediate_size=dice.choice([77, 33, 64, 301]),
            num_attention_heads=heads,
            num_key_value_heads=dice.choice(divisors(heads)),
            head_dim=16 if wide else dice.choice([14, 20, 22]),
        )
        if dice.chance(0.2) and "bf16" not in flags and "fp16" not in flags:
            case.prequantised = dict(bnb_4bit_quant_type=dice.choice(["nf4", "fp4"]), bnb_4bit_use_double_quant=dice.chance(0.5))
            case.stored, case.shards = "float32", False
            return
    if wide:  # elsewhere the packed bytes may be odd, of which transformers makes no bf16
        dice.maybe(four, 0.5, bnb_4bit_quant_storage_dtype=["bfloat16"])
    flags.update(four)


def draw_adapter(dice, case, model, flags):
    """What is trained: an adapter on disk, one that the seed makes, or every parameter. Returns whether that is LoRA's matrices alone."""
    biased = model.config.get("attention_bias") or model.config.get("mlp_bias") or model.config.get("bias")
    lora = draw_lora(dice, model, biased or case.family in ("qwen2", "bloom", "bart"))
    kind = dice.random()
    case.lora = None
    if kind < 0.65:
        case.lora = lora | (dict(fan_in_fan_out=True) if dice.chance(0.05) else dice.choice(UNKNOWN_VARIANTS) if dice.chance(0.03) else {})
    elif kind < 0.8:
        flags.update(as_flags(lora), init_lora_weights=dice.choice(["true", "true", "gaussian", "false"]))
        flags.setdefault("seed", dice.randint(0, 9999))
    else:
        flags["use_peft_lora"] = "false"
        return False
    return lora.get("bias", "none") == "none" and "modules_to_save" not in lora


def draw_job(dice, rows, seq2seq):
    flags = {}
    dice.maybe(flags, 0.2, rematerialize=["selective", "block", "auto"])
    devices = {f"offload_{what}_device": ["cpu", "nvme"] for what in ("param", "optimizer", "activation")}
    dice.maybe(flags, 0.15, **devices)
    dice.maybe(flags, 0.2, reduce_gradients=["step"], stage3_param_persistence_threshold=[1000, 100000])
    dice.maybe(flags, 0.1, dequant_cache_bytes=[100000], reduce_bucket_size=[5000], prefetch_distance=[0, 2])
    if not seq2seq and not rows.get("packed"):
        dice.maybe(flags, 0.1, length_buckets=[2])
    return flags


def draw(number):
    dice = Dice(number)
    family = dice.choice(FAMILY_OF_A_CASE)
    seq2seq = family in ENCODER_DECODERS
    model = draw_model(dice, family)
    case = Case(f"random_{number:05d}", family=family, shape=model.shape, config=model.config)
    if family == "bloom" or model.config.get("alibi"):
        case.attention = "eager" if family == "bloom" else "sdpa"  # README.md: the other one is absent or wrong
    flags = draw_updates(dice)
    rows = draw_rows(dice, family, flags)
    matrices_alone = draw_adapter(dice, case, model, flags)

    case.stored = dice.choice(["float32"] * 8 + ["bfloat16", "float16"])
    case.shards = dice.chance(0.15)
    # A head's width that follows from the others isn't spelled; Qwen3's class has one of its own.
    case.v4_config = family in ROTARY and family != "qwen3" and dice.chance(0.15)
    if family in ("t5", "mt5") and dice.chance(0.3):
        case.own_head, case.stored, case.shards = True, "float32", False
    if not seq2seq and dice.chance(0.2):  # a token of the text, as build.write_tokens will draw it
        words = np.random.default_rng(zlib.crc32(case.name.encode())).choice(101, size=20, replace=False)
        model.config["pad_token_id"] = int(dice.choice([0, words[3], words[0]]))

    # The reference keeps what it trains beside LoRA's matrices in the base's own 16 bits, where small updates round away.
    narrow = dice.choice([None] * 14 + ["bf16", "bf16", "fp16"]) if matrices_alone else None
    if narrow:
        flags.update({"fp16": None, "initial_scale_power": dice.choice([8, 12])} if narrow == "fp16" else {"bf16": None})
    if "use_peft_lora" not in flags and family not in ("bart", "bloom", "mt5") and dice.chance(0.14):
        draw_four_bits(dice, case, model, flags)
    # Without rotation a vector added to every key changes no score: its bias has no gradient but rounding, which a large epsilon keeps small.
    if not matrices_alone and (family in ("bart", "bloom") or model.config.get("alibi")):
        flags["adam_epsilon"] = 1e-3

    # The Trainer's rows are collated one by one, and only those with padding on the left have an attention mask.
    case.trainer = not narrow and not seq2seq and not rows.get("left") and dice.chance(0.4)
    if case.trainer and dice.chance(0.3) and flags.get("lr_scheduler_type") != "warmup_stable_decay":
        flags.update(max_steps=-1, num_train_epochs=dice.choice([1, 1.5, 2, 2.4]))
    if case.trainer and dice.chance(0.4):  # the loop has no such wish
        flags["dataloader_drop_last"] = "true"
    case.flags, case.rows = flags, rows
    found = Draw(case, dice.choice([1, 1, 2]), dice.choice([0, 1, 2, 3, 3]), draw_job(dice, rows, seq2seq), fewer_keys=dice.chance(0.15))
    if case.lora:
        found.adapter_dtype = dice.choice([None] * 4 + ["bfloat16", "float16"])
    return found

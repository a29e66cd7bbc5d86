"""Draws the cases of compare_files.py: a model's directory as it may be found, and what is done to it."""

import json
import shutil
import zlib
from dataclasses import dataclass, field

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

from . import build, encoder_decoders, four_bit
from .cases import Case
from .draw import FAMILY_OF_A_CASE, ROTARY, draw_four_bits, draw_lora
from .draw_models import Dice, draw_model

# What the hub's files may lack of names.
PREFIXES = {"falcon": "transformer.", "bloom": "transformer.", "bart": "model.", "t5": "", "mt5": ""}
EMBEDDINGS = {
    "falcon": "transformer.word_embeddings.weight",
    "bloom": "transformer.word_embeddings.weight",
    "bart": "model.shared.weight",
    "t5": "shared.weight",
    "mt5": "shared.weight",
}


@dataclass
class FileDraw:
    case: Case
    dice: Dice
    verb: str
    embedding: str  # the module's name
    flags: dict = field(default_factory=dict)  # of zprun
    lora: dict = field(default_factory=dict)
    four: dict | None = None  # BitsAndBytesConfig's arguments: the base is in 4 bits
    resize: int = 0  # tokens that the adapter has more than its base
    adapter_dtype: str | None = None

    @property
    def kind(self):
        return AutoModelForSeq2SeqLM if self.case.seq2seq else AutoModelForCausalLM

    def describe(self):
        said = {name: value for name in ("flags", "lora", "four", "resize", "adapter_dtype") if (value := getattr(self, name))}
        return f"{self.verb} {self.case.family} {self.case.stored} {said}"


def draw_base_in_four_bits(found, model):
    """Sizes are such that bitsandbytes reads the right scales on every CPU, as for training."""
    dice, case, wishes = found.dice, found.case, {}
    draw_four_bits(dice, case, model, wishes)
    wide = dice.chance(0.4)
    if case.family == "bart":
        model.config.update(d_model=64 if wide else dice.choice([33, 45]), encoder_attention_heads=1, decoder_attention_heads=1)
        model.config["encoder_ffn_dim"] = model.config["decoder_ffn_dim"] = dice.choice([33, 64, 77])
    elif case.family == "bloom":
        model.shape.update(hidden_size=64 if wide else 33, n_head=2 if wide else 3)
    found.four = case.prequantised or dict(
        bnb_4bit_quant_type=wishes.get("bnb_4bit_quant_type", "nf4"), bnb_4bit_use_double_quant="use_nested_quant" in wishes
    )
    if "bnb_4bit_skip_modules" in wishes:
        found.four["llm_int8_skip_modules"] = [wishes["bnb_4bit_skip_modules"], "lm_head"]
    case.prequantised = None
    if dice.chance(0.5):
        found.flags["requantize"] = "true"


def draw_merge(found, model, biased):
    dice = found.dice
    model.config.pop("slow_but_exact", None)  # then BLOOM reads weights past their wrappers
    found.lora = draw_lora(dice, model, biased)
    if found.case.seq2seq and model.embedding in found.lora.get("target_modules", []):
        found.lora["target_modules"] = [model.names[0]]  # neither stack reads the shared embedding's wrapper
    elif dice.chance(0.12) and not found.case.seq2seq:
        wrapped = [[model.embedding], [model.embedding, "lm_head"], ["lm_head"], [model.embedding, model.names[0]]]
        found.lora["target_modules"] = dice.choice(wrapped)
    if {model.embedding, "lm_head"} & set(found.lora.get("target_modules", [])):
        # They lie in no layer, but PEFT then takes them for wrapped, and doesn't save new rows.
        for name in ("layers_to_transform", "layers_pattern"):
            found.lora.pop(name, None)
    if found.case.family != "falcon" and not found.case.own_head and dice.chance(0.3):
        draw_base_in_four_bits(found, model)
    if dice.chance(0.35) and not found.case.own_head:
        found.resize = dice.choice([8, 3, 1, -5])
    found.adapter_dtype = dice.choice([None] * 3 + ["bfloat16", "float16"])
    dice.maybe(found.flags, 0.3, max_shard_size=["20KB", "5KB"])
    if "requantize" not in found.flags:
        dice.maybe(found.flags, 0.3, safe_merge=["true"])


def draw_files(verb, number):
    dice = Dice(f"{verb} {number}")
    family = dice.choice(FAMILY_OF_A_CASE)
    model = draw_model(dice, family)
    case = Case(f"{verb}_{number:05d}", family=family, shape=model.shape, config=model.config)
    case.stored = dice.choice(["float32", "float32", "bfloat16", "float16"])
    case.shards = dice.chance(0.3)
    case.v4_config = family in ROTARY and family != "qwen3" and dice.chance(0.2)
    if family in ("t5", "mt5") and dice.chance(0.3):
        case.own_head, case.stored, case.shards = True, "float32", False
    found = FileDraw(case, dice, verb, model.embedding)
    biased = any(model.config.get(name) for name in ("attention_bias", "mlp_bias", "bias")) or family in ("qwen2", "bloom", "bart")
    if verb == "merge":
        draw_merge(found, model, biased)
    elif verb == "quantize":
        names = dict(bnb_4bit_quant_type=["nf4", "fp4"], use_nested_quant=["true"], dtype=["float32", "bfloat16", "float16"])
        dice.maybe(found.flags, 0.5, **names, bnb_4bit_compute_dtype=["bfloat16", "float16", "float32"])
        dice.maybe(found.flags, 0.35, bnb_4bit_quant_storage_dtype=["uint8", "int8", "bfloat16", "float16", "float32", "float64"])
        dice.maybe(found.flags, 0.4, max_shard_size=["14KB", "20KB", "3KB", "1MB"])
    else:
        found.resize = dice.choice([1, 2, 3, 8, 17, 64])
        dice.maybe(found.flags, 0.6, pad_to_multiple_of=[1, 7, 64])
    return found


def rewrite(folder, change):
    """`change`: of each file's tensors by their names."""
    places = {}
    for path in sorted(folder.glob("*.safetensors")):
        tensors = {name: tensor.clone().contiguous() for name, tensor in change(load_file(path)).items()}
        save_file(tensors, path, metadata={"format": "pt"})
        places |= dict.fromkeys(tensors, path.name)
    index = folder / "model.safetensors.index.json"
    if index.exists():
        index.write_text(json.dumps({**json.loads(index.read_text()), "weight_map": places}))


def name_as_the_hub(found, folder):
    """A tied head and the stacks' embeddings that are saved once more; names without the base model's prefix."""
    dice, family = found.dice, found.case.family
    prefix = PREFIXES.get(family, "model.")
    tied = json.loads((folder / "config.json").read_text()).get("tie_word_embeddings") and not found.case.own_head
    copies = [f"{prefix}{stack}.embed_tokens.weight" for stack in ("encoder", "decoder")] if found.case.seq2seq and dice.chance(0.3) else []
    copies += ["lm_head.weight"] if tied and dice.chance(0.2) else []
    embedding = EMBEDDINGS.get(family, "model.embed_tokens.weight")

    def repeat(tensors):
        return tensors | {copy: tensors[embedding] for copy in copies if embedding in tensors}

    rewrite(folder, repeat)
    if tied and dice.chance(0.25):
        rewrite(folder, lambda tensors: {name.removeprefix(prefix): tensor for name, tensor in tensors.items()})


def write_base(found, folder):
    case = found.case
    torch.manual_seed(zlib.crc32(case.name.encode()))
    model = encoder_decoders.random_model(case) if case.seq2seq else build.random_model(case)
    model.to(getattr(torch, case.stored)).save_pretrained(folder, max_shard_size="30KB" if case.shards else "1GB")
    if case.own_head:
        encoder_decoders.give_head(folder)
    if case.v4_config:
        build.spell_as_v4(folder / "config.json")
    if found.four is None:
        name_as_the_hub(found, folder)
        return
    floats = folder.with_name("floats")
    folder.rename(floats)
    settings = four_bit.BitsAndBytesConfig(load_in_4bit=True, **found.four)
    found.kind.from_pretrained(floats, dtype=getattr(torch, case.stored), quantization_config=settings).save_pretrained(folder)
    shutil.rmtree(floats)

"""Writes the inputs of a case: model/, adapter/, tokens.safetensors and case.json."""

import importlib.metadata
import json
import platform
import zlib

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from safetensors.numpy import save_file
from transformers import AutoModelForCausalLM, CONFIG_MAPPING

from . import cases, encoder_decoders, four_bit

TOLERANCES = {
    "fp32": {"loss": 1e-5, "grad_norm": 1e-4, "change": 1e-3},
    "bf16": {"loss": 4e-3, "grad_norm": 3e-2, "change": 1e-1},
    "fp16": {"loss": 7e-4, "grad_norm": 6e-3, "change": 4e-2},
}


def write(case, folder):
    folder.mkdir(parents=True)
    torch.manual_seed(zlib.crc32(case.name.encode()))
    model = encoder_decoders.random_model(case) if case.seq2seq else random_model(case)
    model.to(getattr(torch, case.stored)).save_pretrained(
        folder / "model", max_shard_size="30KB" if case.shards else "1GB"
    )
    (folder / "model/generation_config.json").unlink(missing_ok=True)
    if case.prequantised is not None:
        four_bit.prequantise(folder / "model", case.prequantised)
        (folder / "model/generation_config.json").unlink(missing_ok=True)
    if case.own_head:
        encoder_decoders.give_head(folder / "model")
    if case.v4_config:
        spell_as_v4(folder / "model/config.json")
    if case.lora:
        write_adapter(case, model.float(), folder / "adapter")
    write = encoder_decoders.write_tokens if case.seq2seq else write_tokens
    write(case, folder / "tokens.safetensors", **case.rows)
    flags = {**(cases.SEQ2SEQ_FLAGS if case.seq2seq else cases.FLAGS), **case.flags}
    spec = {
        "import_flags": [
            word
            for name, value in flags.items()
            for word in ([f"--{name}"] if value is None else [f"--{name}", str(value)])
        ],
        "run_flags": [],
        "tolerance": {**TOLERANCES[next((dtype for dtype in ("bf16", "fp16") if dtype in flags), "fp32")], **case.tolerance},
        **({"attention": case.attention} if case.attention else {}),
        "reference": "transformers.Trainer" if case.trainer else "update loop",
        "versions": versions("bitsandbytes" if case.four_bit else None, "deepspeed" if "fp16" in flags else None),
        "feature_off": case.variants,
    }
    (folder / "case.json").write_text(json.dumps(spec, indent=2) + "\n")


def versions(*more):
    names = ("torch", "transformers", "peft", "safetensors", "numpy", "accelerate", *filter(None, more))
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in names}}


def random_model(case):
    """Seeded weights at which every part of the model matters: q and k are large, so that attention is peaked; norms and
    biases are far from 1 and 0."""
    config = CONFIG_MAPPING[case.family](**{**case.shape, "bos_token_id": 1, "eos_token_id": 2, **case.config})
    model = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if is_norm(name) and name.endswith("weight"):
                parameter.normal_(1.0, 0.25)
                if name.endswith(("q_norm.weight", "k_norm.weight")):
                    parameter.mul_(2.0)
            elif name.endswith(".bias"):
                parameter.normal_(0.0, 0.5)
            elif "embed_tokens" in name or "word_embeddings" in name:
                parameter.normal_(0.0, 0.5 if config.tie_word_embeddings else 1.0)
            else:
                peak = 2.2 if name.endswith(("q_proj.weight", "k_proj.weight", "query_key_value.weight")) else 1.0
                parameter.normal_(0.0, peak * parameter.shape[1] ** -0.5)
    return model


def is_norm(name):
    """word_embeddings_layernorm, q_norm, and Falcon's ln_f, ln_attn, ln_mlp"""
    return "norm" in name or name.split(".")[-2].startswith("ln_")


def write_adapter(case, model, folder):
    """A starting adapter as save_pretrained writes it, B, trained biases and whole modules moved off their fresh values."""
    peft = get_peft_model(model, LoraConfig(task_type="SEQ_2_SEQ_LM" if case.seq2seq else "CAUSAL_LM", **case.lora))
    with torch.no_grad():
        for name, parameter in peft.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0.0, 0.1)
            elif parameter.requires_grad and "lora_A" not in name:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    peft.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink()
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    config["base_model_name_or_path"] = "model"
    if isinstance(config["target_modules"], list):
        config["target_modules"].sort()  # PEFT writes a set in whatever order it comes
    path.write_text(json.dumps(config, indent=2, sort_keys=True))


def spell_as_v4(path):
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = rope if rope["rope_type"] != "default" else None
    config["torch_dtype"] = config.pop("dtype")
    config["transformers_version"] = "4.46.0"
    for absent in (
        ("layer_types", "head_dim")
        if config.get("head_dim") == config["hidden_size"] // config["num_attention_heads"]
        else ("layer_types",)
    ):
        config.pop(absent, None)
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def write_tokens(case, path, count=12, length=24, packed=False, uneven=False, left=False):
    """Rows of a noisy chain over few of the vocabulary's tokens, so that a few updates learn something. Prompts are not
    counted; rows end in padding (`uneven`: of very different amounts, and so are the counted labels). Packed rows hold
    several documents; of their first tokens some are counted, some not, and both are right. `left`: the padding comes first."""
    draw = np.random.default_rng(zlib.crc32(case.name.encode()))
    vocabulary = draw.choice(cases.SHAPE["vocab_size"], size=20, replace=False)
    successor = draw.permutation(20)
    names = ("input_ids", "labels", "position_ids", "segment_ids")
    tokens = {name: np.full((count, length), fill, np.int32) for name, fill in zip(names, (0, -100, 0, -1))}
    for row in range(count):
        padding = int(draw.integers(0, 7)) if not uneven else int(draw.integers(0, length - 8))
        used, start, segment = length - padding, 0, 0
        while start < used:
            size = min(int(draw.integers(5, 14)), used - start) if packed else used
            chain = [int(draw.integers(20))]
            while len(chain) < size:
                chain.append(int(successor[chain[-1]]) if draw.random() < 0.7 else int(draw.integers(20)))
            prompt = int(draw.integers(0, 3 if packed else 5))
            place = slice(start, start + size)
            tokens["input_ids"][row, place] = vocabulary[chain]
            tokens["labels"][row, place] = vocabulary[chain]
            tokens["labels"][row, start : start + min(prompt, size - 1)] = -100
            tokens["position_ids"][row, place] = np.arange(size)
            tokens["segment_ids"][row, place] = segment
            start, segment = start + size, segment + 1
        if left:
            for name in names:
                tokens[name][row] = np.roll(tokens[name][row], padding)
            tokens["labels"][row, padding] = -100  # nothing real comes before it
    save_file(tokens, path)

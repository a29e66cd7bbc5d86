"""Writes Llama directories of any size with random bf16 weights, and token files for them, in little memory."""

import json

import numpy as np
from safetensors.numpy import save_file

DRAWN = 1 << 22  # numbers drawn; larger tensors repeat them
WIDTH = 0.02


def _shapes(config):
    hidden, inner, heads = config["hidden_size"], config["intermediate_size"], config["num_attention_heads"]
    kv = hidden // heads * config["num_key_value_heads"]
    yield "model.embed_tokens.weight", (config["vocab_size"], hidden)
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        yield at + "input_layernorm.weight", (hidden,)
        yield at + "post_attention_layernorm.weight", (hidden,)
        for name, shape in {"q": (hidden, hidden), "k": (kv, hidden), "v": (kv, hidden), "o": (hidden, hidden)}.items():
            yield f"{at}self_attn.{name}_proj.weight", shape
        for name, shape in {"gate": (inner, hidden), "up": (inner, hidden), "down": (hidden, inner)}.items():
            yield f"{at}mlp.{name}_proj.weight", shape
    yield "model.norm.weight", (hidden,)
    yield "lm_head.weight", (config["vocab_size"], hidden)


def _bf16(values):
    return (values.view(np.uint32) >> 16).astype("<u2")


def write_model(folder, hidden, inner, layers, heads, kv_heads, vocabulary):
    """A directory as transformers reads it. The safetensors file is written a tensor at a time."""
    folder.mkdir(parents=True)
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "vocab_size": vocabulary,
        "max_position_embeddings": 2048,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "hidden_act": "silu",
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in _shapes(config):
        size = 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    drawn = _bf16(np.random.default_rng(7).standard_normal(DRAWN, dtype=np.float32) * np.float32(WIDTH)).tobytes()
    ones = _bf16(np.ones(hidden, np.float32)).tobytes()
    with open(folder / "model.safetensors", "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, shape in _shapes(config):
            left = 2 * int(np.prod(shape))
            source = drawn if len(shape) > 1 else ones
            while left:
                left -= file.write(source[:left])
    return folder


def write_tokens(path, rows, length, vocabulary):
    """Rows of lengths from a third of `length` on, padded; every label counts."""
    generator = np.random.default_rng(11)
    ids = generator.integers(0, vocabulary, (rows, length), dtype=np.int32)
    real = np.arange(length)[None, :] < generator.integers(length // 3, length + 1, (rows, 1))
    tokens = {
        "input_ids": np.where(real, ids, 0),
        "labels": np.where(real, ids, -100),
        "position_ids": np.where(real, np.arange(length)[None, :], 0),
        "segment_ids": np.where(real, 0, -1),
    }
    save_file({name: values.astype(np.int32) for name, values in tokens.items()}, path)
    return path

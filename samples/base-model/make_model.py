#!/usr/bin/env python3
"""A Llama checkpoint with seeded random weights in the Hugging Face layout, from a config.json.

    make_model.py samples/base-model/config.json -o DIR [--dtype float32|bfloat16] [--seed 0]

Weights are normal with the configuration's initializer_range, norms are ones, biases zeros: a model as it is before its
pre-training.
"""

import argparse
import json
import pathlib

import numpy
from safetensors import TensorSpec, serialize_file


def shapes(config):
    """Name -> shape of each tensor, in the order of the file."""
    hidden, mlp = config["hidden_size"], config["intermediate_size"]
    heads = config["num_attention_heads"]
    head = config.get("head_dim") or hidden // heads
    queries, keys = heads * head, (config.get("num_key_value_heads") or heads) * head
    yield "model.embed_tokens.weight", (config["vocab_size"], hidden)
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}"
        yield f"{prefix}.input_layernorm.weight", (hidden,)
        for name, rows, columns in (("q", queries, hidden), ("k", keys, hidden), ("v", keys, hidden), ("o", hidden, queries)):
            yield f"{prefix}.self_attn.{name}_proj.weight", (rows, columns)
            if config.get("attention_bias"):
                yield f"{prefix}.self_attn.{name}_proj.bias", (rows,)
        yield f"{prefix}.post_attention_layernorm.weight", (hidden,)
        for name, rows, columns in (("gate", mlp, hidden), ("up", mlp, hidden), ("down", hidden, mlp)):
            yield f"{prefix}.mlp.{name}_proj.weight", (rows, columns)
            if config.get("mlp_bias"):
                yield f"{prefix}.mlp.{name}_proj.bias", (rows,)
    yield "model.norm.weight", (hidden,)
    if not config.get("tie_word_embeddings"):
        yield "lm_head.weight", (config["vocab_size"], hidden)


def values(name, shape, deviation, random):
    if name.endswith("norm.weight"):
        return numpy.ones(shape, dtype=numpy.float32)
    if name.endswith(".bias"):
        return numpy.zeros(shape, dtype=numpy.float32)
    return random.standard_normal(shape, dtype=numpy.float32) * numpy.float32(deviation)


def bfloat16(tensor):
    """The upper halves of the numbers, rounded to nearest even, as u16."""
    bits = tensor.view(numpy.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(numpy.uint16)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("-o", "--output", required=True, help="directory")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    config = json.loads(pathlib.Path(arguments.config).read_text())
    if config.get("model_type") != "llama":
        parser.error(f"{arguments.config} is a {config.get('model_type')} model; this makes Llama models")
    config["torch_dtype"] = arguments.dtype
    random = numpy.random.default_rng(arguments.seed)
    tensors, count = {}, 0  # the tensors stay alive here: a TensorSpec only points at its bytes
    for name, shape in shapes(config):
        tensor = values(name, shape, config["initializer_range"], random)
        count += tensor.size
        tensors[name] = bfloat16(tensor) if arguments.dtype == "bfloat16" else tensor

    output = pathlib.Path(arguments.output)
    output.mkdir(parents=True, exist_ok=True)
    specs = {
        name: TensorSpec(dtype=arguments.dtype, shape=tensor.shape, data_ptr=tensor.ctypes.data, data_len=tensor.nbytes)
        for name, tensor in tensors.items()
    }
    serialize_file(specs, str(output / "model.safetensors"), {"format": "pt"})
    (output / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    print(f"{output}/model.safetensors: {count:,} parameters, {arguments.dtype}")


if __name__ == "__main__":
    main()

"""The golden cases of encoder-decoders: BART and T5's kind. Their weights and rows, and what the reference is given."""

import zlib

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from transformers import AutoModelForSeq2SeqLM, CONFIG_MAPPING

FAMILIES = ("bart", "t5", "mt5")
VOCABULARY, SOURCE, TARGET = 101, 20, 12  # tokens, and places of a row on both sides
START = 3
SPECIAL = dict(vocab_size=VOCABULARY, bos_token_id=1, eos_token_id=2, pad_token_id=0, decoder_start_token_id=START)
BART = dict(
    **SPECIAL,
    d_model=40,
    encoder_layers=2,
    decoder_layers=1,
    encoder_attention_heads=5,
    decoder_attention_heads=5,
    encoder_ffn_dim=52,
    decoder_ffn_dim=52,
    max_position_embeddings=24,
    dropout=0.0,
)
# 3 · 12 heads' columns are not the model's width; few buckets, so that the far ones hold several distances.
T5 = dict(
    **SPECIAL,
    d_model=40,
    d_kv=12,
    d_ff=52,
    num_layers=1,
    num_decoder_layers=2,
    num_heads=3,
    relative_attention_num_buckets=8,
    relative_attention_max_distance=16,
    dropout_rate=0.0,
)
SHAPES = {"bart": BART, "t5": T5, "mt5": T5}


def random_model(case):
    """Seeded weights at which every part matters: attention is peaked, norms and biases are far from 1 and 0, distances and
    positions count."""
    config = CONFIG_MAPPING[case.family](**{**SHAPES[case.family], **case.config})
    model = AutoModelForSeq2SeqLM.from_config(config)
    scaled = case.family == "bart"  # T5 doesn't divide scores by the root of a head's width
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(("norm.weight", "layernorm_embedding.weight")):
                parameter.normal_(1.0, 0.25)
            elif name.endswith(".bias"):
                parameter.normal_(0.0, 0.3)
            elif name.endswith("relative_attention_bias.weight"):
                parameter.normal_(0.0, 1.5)
            elif name.endswith("embed_positions.weight"):
                parameter.normal_(0.0, 0.5)
            elif name.endswith("shared.weight"):
                parameter.normal_(0.0, 0.5 if scaled else 1.0)
            else:
                queries = name.endswith((".q.weight", ".k.weight", "q_proj.weight", "k_proj.weight"))
                peak = 1.8 if scaled else 1.65 * config.d_kv**-0.25
                parameter.normal_(0.0, (peak if queries else 1.0) * parameter.shape[1] ** -0.5)
        if case.overflows:
            send_to_the_end(model, words_of(case, np.random.default_rng(zlib.crc32(case.name.encode())))[0])
    return model


def send_to_the_end(model, word):
    """The word's embedding is fp16's largest number in a few features, and attention of both stacks' first blocks adds to those: at some
    places enough for an infinity. Norms make such a vector as large as any other's."""
    features = [2, 11, 17, 23, 29, 38]
    for place, feature in enumerate(features):
        model.get_input_embeddings().weight[word, feature] = 65504.0 * (-1) ** place
    for stack in (model.encoder, model.decoder):
        stack.block[0].layer[0].SelfAttention.o.weight[features] *= 20


def give_head(folder):
    """A head that is not the embedding: transformers 5 then doesn't tie them, whatever config.json says."""
    weights = load_file(folder / "model.safetensors")
    shared = weights["shared.weight"]
    draw = np.random.default_rng(1)
    weights["lm_head.weight"] = (draw.standard_normal(shared.shape) * shared.shape[1] ** -0.5 * 2).astype(np.float32)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def words_of(case, draw):
    """The words of a case's rows."""
    return draw.choice(np.arange(4, VOCABULARY), size=16, replace=False)


def write_tokens(case, path, count=12):
    """Targets are what a permutation of tokens makes of the source's first places, backwards, with noise: an answer that a
    decoder can only give by looking at the source. Rows of unequal length on both sides, padded on the right."""
    draw = np.random.default_rng(zlib.crc32(case.name.encode()))
    chosen = words_of(case, draw)
    image = draw.permutation(16)
    decoder = {"input_ids": 0, "labels": -100, "position_ids": 0, "segment_ids": -1}
    encoder = {"source_ids": 0, "source_position_ids": 0, "source_segment_ids": -1}
    tokens = {name: np.full((count, TARGET), fill, np.int32) for name, fill in decoder.items()}
    tokens |= {name: np.full((count, SOURCE), fill, np.int32) for name, fill in encoder.items()}
    for row in range(count):
        source = int(draw.integers(6, SOURCE + 1)) if row else SOURCE
        words = draw.integers(0, 16, size=source)
        tokens["source_ids"][row, :source] = chosen[words]
        tokens["source_position_ids"][row, :source] = np.arange(source)
        tokens["source_segment_ids"][row, :source] = 0
        target = int(draw.integers(3, TARGET)) if row else TARGET - 1
        answer = image[np.resize(words[: min(source, 6)][::-1], target)]
        noise = draw.random(target) < 0.2
        answer = chosen[np.where(noise, draw.integers(0, 16, size=target), answer)]
        tokens["input_ids"][row, : target + 1] = [START, *answer]
        tokens["labels"][row, 1 : target + 1] = answer
        tokens["position_ids"][row, : target + 1] = np.arange(target + 1)
        tokens["segment_ids"][row, : target + 1] = 0
    save_file(tokens, path)


def arguments(tokens, indices):
    """What the model's forward takes for these rows. It shifts the labels right by itself; the first is no target."""
    picked = {name: tensor[indices].long() for name, tensor in tokens.items()}
    return {
        "input_ids": picked["source_ids"],
        "attention_mask": (picked["source_segment_ids"] >= 0).long(),
        "labels": picked["labels"][:, 1:].contiguous(),
    }


def attention_maps(outputs):
    """The probabilities of every attention with at least eight keys in sight of each query: the encoder's and the cross ones'."""
    return [*outputs.encoder_attentions, *outputs.cross_attentions]

"""Draws the models of compare_random.py: families, shapes, and what of their configurations changes the arithmetic."""

import random
from dataclasses import dataclass

ACTIVATIONS = ["silu", "swish", "gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "gelu_fast", "gelu_python", "gelu_accurate", "gelu_python_tanh"]
# Linears by the place they have in the first block; the last part of it is what a list of targets names.
LINEARS = {
    "rotary": ["self_attn.q_proj", "mlp.up_proj", "self_attn.o_proj", "self_attn.k_proj", "mlp.down_proj", "self_attn.v_proj", "mlp.gate_proj"],
    "fused": ["self_attention.query_key_value", "mlp.dense_h_to_4h", "self_attention.dense", "mlp.dense_4h_to_h"],
    "bart": ["self_attn.q_proj", "fc1", "self_attn.out_proj", "fc2", "self_attn.k_proj", "self_attn.v_proj"],
    "t5": [*(f"layer.0.SelfAttention.{name}" for name in "qvok"), "layer.1.DenseReluDense.wi", "layer.1.DenseReluDense.wo"],
    "gated": [*(f"layer.0.SelfAttention.{name}" for name in "qvok"), *(f"layer.1.DenseReluDense.{name}" for name in ("wi_0", "wi_1", "wo"))],
}


class Dice(random.Random):
    def chance(self, probability):
        return self.random() < probability

    def maybe(self, into, probability, **values):
        """Gives each name, with that probability, one of its values."""
        for name, choices in values.items():
            if self.chance(probability):
                into[name] = self.choice(choices)


@dataclass
class Model:
    shape: dict
    config: dict
    linears: str  # a key of LINEARS
    blocks: str  # the list of its blocks
    parts: list  # modules of a block
    norms: list
    embedding: str
    layers: int

    @property
    def names(self):
        return [path.split(".")[-1] for path in LINEARS[self.linears]]


def draw_rope(dice):
    kind = dice.choice(["default", "default", "linear", "llama3", "yarn", "yarn", "dynamic"])
    rope = dict(rope_type=kind, rope_theta=dice.choice([10000.0, 10.0, 500000.0, 100.0, 1e6]))
    if kind == "linear":
        rope["factor"] = dice.choice([2.0, 4.0, 1.5, 8])
    elif kind == "dynamic":
        rope["factor"] = dice.choice([2.0, 4.0])
        dice.maybe(rope, 0.5, original_max_position_embeddings=[8, 16, 64])
    elif kind == "llama3":
        rope.update(factor=dice.choice([4.0, 8.0]), low_freq_factor=1.0, high_freq_factor=dice.choice([4.0, 2.0]))
        rope["original_max_position_embeddings"] = dice.choice([16, 32, 64])
    elif kind == "yarn":
        rope.update(factor=dice.choice([2.0, 4.0, 16.0]), original_max_position_embeddings=dice.choice([16, 32]))
        dice.maybe(rope, 0.3, attention_factor=[0.7, 1.3], mscale=[1.0, 0.7], mscale_all_dim=[1.0, 0.5], truncate=[True, False])
        dice.maybe(rope, 0.3, beta_fast=[32.0, 16.0, 4], beta_slow=[1.0, 2, 0.5])
    return rope


def divisors(number):
    return [divisor for divisor in range(1, number + 1) if number % divisor == 0]


def draw_rotary(dice, family):
    heads, width = dice.choice([1, 2, 3, 4, 5, 6]), dice.choice([4, 6, 8, 10, 12, 16])
    own_width = dice.chance(0.6)  # a head's, other than hidden / heads
    hidden = dice.choice([24, 40, 45, 33, 48, 64, 17]) if own_width else heads * width
    layers = dice.choice([1, 2, 2, 3])
    shape = dict(
        vocab_size=dice.choice([101, 103, 128, 131]),
        hidden_size=hidden - hidden % heads,
        intermediate_size=dice.choice([20, 33, 52, 77, 64]),
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=dice.choice(divisors(heads)),
        max_position_embeddings=dice.choice([64, 48, 128]),
        rms_norm_eps=dice.choice([1e-5, 1e-6, 1e-3]),
    )
    if own_width or family == "qwen3":  # whose class has a default of 128
        shape["head_dim"] = width
    config = dict(tie_word_embeddings=dice.chance(0.4), hidden_act="silu", rope_parameters=draw_rope(dice))
    dice.maybe(config, 0.4, hidden_act=ACTIVATIONS)
    if family in ("llama", "qwen3"):
        config["attention_bias"] = dice.chance(0.4)
    if family == "llama":
        config["mlp_bias"] = dice.chance(0.4)
    # A window of 1 leaves a query one key: no score has a gradient.
    if family == "mistral":
        config["sliding_window"] = dice.choice([None, 2, 3, 5, 7, 100])
    elif family in ("qwen2", "qwen3") and dice.chance(0.6):
        used = dice.chance(0.8)
        config.update(use_sliding_window=used, sliding_window=dice.choice([2, 3, 7, 100]), max_window_layers=dice.choice([0, 1, 2, 28]))
        if used and dice.chance(0.5):
            config["layer_types"] = [dice.choice(["full_attention", "sliding_attention"]) for _ in range(layers)]
    norms = ["input_layernorm", "post_attention_layernorm", "norm", "model.norm"] + (["q_norm", "k_norm"] if family == "qwen3" else [])
    return Model(shape, config, "rotary", "model.layers", ["self_attn", "mlp"], norms, "embed_tokens", layers)


def draw_falcon(dice):
    heads, layers = dice.choice([1, 2, 3, 4, 5, 6]), dice.choice([1, 2, 3])
    hidden = heads * dice.choice([4, 8, 10, 12])
    shape = dict(vocab_size=101, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads, max_position_embeddings=64)
    config = dict(
        bias=dice.chance(0.4),
        tie_word_embeddings=dice.chance(0.6),
        activation=dice.choice(["gelu", "gelu", "relu", "gelu_new", "gelu_pytorch_tanh"]),
        layer_norm_epsilon=dice.choice([1e-5, 1e-3]),
    )
    groups = dice.chance(0.35)
    if groups:
        config.update(new_decoder_architecture=True, num_kv_heads=dice.choice(divisors(heads)))
        dice.maybe(config, 0.4, num_ln_in_parallel_attn=[1, 2], multi_query=[True, False])
    else:
        config.update(multi_query=dice.chance(0.5), parallel_attn=dice.chance(0.5))
    if dice.chance(0.3):
        config["alibi"] = True
    else:
        config["rope_parameters"] = draw_rope(dice)
    dice.maybe(config, 0.4, ffn_hidden_size=[33, 64, 100])
    two_norms = groups and config.get("num_ln_in_parallel_attn", 2) == 2
    norms = ["ln_f", *(["ln_attn", "ln_mlp"] if two_norms else ["input_layernorm"])]
    return Model(shape, config, "fused", "transformer.h", ["self_attention", "mlp"], norms, "word_embeddings", layers)


def draw_bloom(dice):
    heads, layers = dice.choice([1, 2, 3, 4, 5, 6, 7]), dice.choice([1, 2, 3])
    shape = dict(vocab_size=101, hidden_size=heads * dice.choice([4, 8, 10]), n_layer=layers, n_head=heads)
    config = dict(tie_word_embeddings=dice.chance(0.7), layer_norm_epsilon=dice.choice([1e-5, 1e-3]))
    config["apply_residual_connection_post_layernorm"] = dice.chance(0.4)
    dice.maybe(config, 0.2, slow_but_exact=[True], pretraining_tp=[2])
    norms = ["ln_f", "word_embeddings_layernorm", "input_layernorm", "post_attention_layernorm"]
    return Model(shape, config, "fused", "transformer.h", ["self_attention", "mlp"], norms, "word_embeddings", layers)


def draw_bart(dice):
    heads, layers, inner = dice.choice([1, 2, 4, 5]), dice.choice([1, 2, 3]), dice.choice([33, 52])
    config = dict(
        d_model=heads * dice.choice([4, 8, 10]),
        encoder_layers=layers,
        decoder_layers=dice.choice([1, 2, 3]),
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=inner,
        decoder_ffn_dim=inner,
        activation_function=dice.choice(["gelu", "relu", "gelu_new", "gelu_pytorch_tanh"]),
        scale_embedding=dice.chance(0.5),
        max_position_embeddings=dice.choice([24, 30]),
        vocab_size=dice.choice([101, 107]),
    )
    norms = ["self_attn_layer_norm", "final_layer_norm", "layernorm_embedding"]
    return Model({}, config, "bart", "model.encoder.layers", ["self_attn", "encoder_attn"], norms, "shared", layers)


def draw_t5(dice):
    layers, buckets, gated = dice.choice([1, 2, 3]), dice.choice([4, 8, 12, 32]), dice.chance(0.5)
    config = dict(
        d_model=dice.choice([24, 40, 45, 33]),
        d_kv=dice.choice([4, 7, 8, 12]),
        d_ff=dice.choice([33, 52, 64]),
        num_layers=layers,
        num_decoder_layers=dice.choice([1, 2, 3, None]),
        num_heads=dice.choice([1, 2, 3, 5]),
        vocab_size=dice.choice([101, 107]),
        relative_attention_num_buckets=buckets,
        relative_attention_max_distance=dice.choice([buckets // 2 + 1, 20, 128]),
        layer_norm_epsilon=dice.choice([1e-6, 1e-3]),
        feed_forward_proj=dice.choice([f"gated-{name}" for name in ("gelu", "silu", "relu", "gelu_new")] if gated else ["relu", "gelu", "gelu_new"]),
    )
    dice.maybe(config, 0.2, scale_decoder_outputs=[True, False], tie_word_embeddings=[True, False])
    parts, norms = ["SelfAttention", "EncDecAttention", "DenseReluDense"], ["layer_norm", "final_layer_norm"]
    return Model({}, config, "gated" if gated else "t5", "encoder.block", parts, norms, "shared", layers)


def draw_model(dice, family):
    draw = {"falcon": draw_falcon, "bloom": draw_bloom, "bart": draw_bart, "t5": draw_t5, "mt5": draw_t5}.get(family)
    return draw(dice) if draw else draw_rotary(dice, family)

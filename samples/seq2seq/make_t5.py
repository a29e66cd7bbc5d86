#!/usr/bin/env python3
"""A small T5 as it is before its pre-training, in the Hugging Face layout: a tokenizer of the words in some messages, and
seeded random weights of 0.4 million parameters, drawn as T5's own class draws them.

    make_t5.py messages.csv -o DIR
"""

import argparse
import csv
import json
import pathlib

import numpy
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

PAD, END, UNKNOWN, BLANK = "<pad>", "</s>", "<unk>", "<extra_id_0>"
CONFIG = {
    "architectures": ["T5ForConditionalGeneration"],
    "model_type": "t5",
    "d_model": 96,
    "d_kv": 24,
    "d_ff": 256,
    "num_layers": 2,
    "num_decoder_layers": 2,
    "num_heads": 4,
    "relative_attention_num_buckets": 32,
    "relative_attention_max_distance": 128,
    "dropout_rate": 0.0,
    "layer_norm_epsilon": 1e-6,
    "feed_forward_proj": "relu",
    "is_encoder_decoder": True,
    "tie_word_embeddings": True,
    "decoder_start_token_id": 0,
    "pad_token_id": 0,
    "eos_token_id": 1,
    "torch_dtype": "float32",
}


def makeTokenizer(texts):
    core = Tokenizer(models.BPE(unk_token=UNKNOWN))
    core.pre_tokenizer = pre_tokenizers.Metaspace()
    core.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=512, special_tokens=[PAD, END, UNKNOWN, BLANK], show_progress=False)
    core.train_from_iterator(texts, trainer)
    core.post_processor = processors.TemplateProcessing(single=f"$A {END}", special_tokens=[(END, 1)])
    return core


def weights(config, seed):
    """Name -> values."""
    random = numpy.random.default_rng(seed)
    model, head, mlp, heads = config["d_model"], config["d_kv"], config["d_ff"], config["num_heads"]
    inner = head * heads

    def normal(deviation, *shape):
        return (random.standard_normal(shape) * deviation).astype(numpy.float32)

    def attention():
        for name, deviation, shape in (
            ("q", (model * head) ** -0.5, (inner, model)),
            ("k", model**-0.5, (inner, model)),
            ("v", model**-0.5, (inner, model)),
            ("o", inner**-0.5, (model, inner)),
        ):
            yield f"{name}.weight", normal(deviation, *shape)

    tensors = {"shared.weight": normal(1.0, config["vocab_size"], model)}
    for stack, blocks in (("encoder", config["num_layers"]), ("decoder", config["num_decoder_layers"])):
        for block in range(blocks):
            layers = ["SelfAttention", "EncDecAttention"][: 1 + (stack == "decoder")]
            for number, layer in enumerate([*layers, "DenseReluDense"]):
                prefix = f"{stack}.block.{block}.layer.{number}"
                tensors[f"{prefix}.layer_norm.weight"] = numpy.ones(model, dtype=numpy.float32)
                if layer == "DenseReluDense":
                    tensors[f"{prefix}.{layer}.wi.weight"] = normal(model**-0.5, mlp, model)
                    tensors[f"{prefix}.{layer}.wo.weight"] = normal(mlp**-0.5, model, mlp)
                    continue
                tensors.update({f"{prefix}.{layer}.{name}": values for name, values in attention()})
                if block == 0 and layer == "SelfAttention":
                    buckets = config["relative_attention_num_buckets"]
                    tensors[f"{prefix}.{layer}.relative_attention_bias.weight"] = normal(model**-0.5, buckets, heads)
        tensors[f"{stack}.final_layer_norm.weight"] = numpy.ones(model, dtype=numpy.float32)
    return tensors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("messages", help="CSV with a column Tweet text")
    parser.add_argument("-o", "--output", required=True, type=pathlib.Path, help="directory")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    with open(arguments.messages, encoding="utf-8", newline="") as file:
        texts = [text for row in csv.DictReader(file) for text in (row["Tweet text"], row["Label"])]
    core = makeTokenizer(texts)
    config = {**CONFIG, "vocab_size": core.get_vocab_size()}
    tensors = weights(config, arguments.seed)
    arguments.output.mkdir(parents=True, exist_ok=True)
    core.save(str(arguments.output / "tokenizer.json"))
    names = {"eos_token": END, "pad_token": PAD, "unk_token": UNKNOWN, "additional_special_tokens": [BLANK]}
    names = {"tokenizer_class": "PreTrainedTokenizerFast", **names, "model_max_length": 64}
    (arguments.output / "tokenizer_config.json").write_text(json.dumps(names, indent=2) + "\n")
    (arguments.output / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    save_file(tensors, arguments.output / "model.safetensors", metadata={"format": "pt"})
    print(
        f"{arguments.output}: T5, {sum(tensor.size for tensor in tensors.values()):,} parameters, {config['vocab_size']} tokens"
    )


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Makes what test_pairs.py holds `zpdata --mode causal|seq2seq` to, with transformers' own tokenizers and models.

    python tests/python/golden/generate_pairs.py     in an environment with transformers 5.23.0, torch 2.15.0, after generate.py

Writes, beside this file: tokenizers in the manner of BART (<s> text </s>) and of T5 (text </s>), and pairs.json: rows, zpdata's
flags, and what the preprocessing that the PEFT guide's two scripts describe makes of them. Nothing here imports zpdata.
"""

import json
import pathlib
import random
import shutil

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).resolve().parent
WORDS = (
    "the path file is broken lost my order thanks works great never came back refund please help love it today".split()
)
CLASSES = ["Unlabeled", "complaint", "no complaint"]


def saveTokenizer(name, core, config, modelConfig):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    core.save(str(folder / "tokenizer.json"), pretty=False)
    config = {"tokenizer_class": "PreTrainedTokenizerFast", **config}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")
    (folder / "config.json").write_text(json.dumps(modelConfig, indent=1) + "\n")


def makeTokenizers():
    text = [" ".join(random.Random(i).choices(WORDS, k=30)) for i in range(40)] + CLASSES
    bart = Tokenizer(models.BPE())
    bart.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bart.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    bart.train_from_iterator(
        text,
        trainers.BpeTrainer(
            vocab_size=320, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
        ),
    )
    bart.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    model = {
        "model_type": "bart",
        "vocab_size": 320,
        "decoder_start_token_id": 2,
        "pad_token_id": 1,
        "max_position_embeddings": 64,
    }
    saveTokenizer("tokenizer-bart", bart, {**names, "model_max_length": 20}, model)

    t5 = Tokenizer(models.Unigram())
    t5.pre_tokenizer = pre_tokenizers.Metaspace()
    t5.decoder = decoders.Metaspace()
    t5.train_from_iterator(
        text, trainers.UnigramTrainer(vocab_size=120, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>")
    )
    t5.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    names = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    model = {"model_type": "t5", "vocab_size": t5.get_vocab_size(), "decoder_start_token_id": 0, "pad_token_id": 0}
    saveTokenizer("tokenizer-t5", t5, {**names, "model_max_length": 16}, model)


def rows(seed, count, low, high):
    rng = random.Random(seed)
    return [
        {"Tweet text": " ".join(rng.choices(WORDS, k=rng.randint(low, high))), "text_label": rng.choice(CLASSES)}
        for _ in range(count)
    ]


def tokenizerOf(name):
    tokenizer = transformers.AutoTokenizer.from_pretrained(HERE / name)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token_id = tokenizer.eos_token_id
    return tokenizer


def causal(name, data, length, answers=True):
    """[input_ids, attention_mask, labels] of each row: prompt and answer, padded on the left to a length, then cut at it."""
    tokenizer = tokenizerOf(name)
    out = []
    for row in data:
        asked = tokenizer(f"Tweet text : {row['Tweet text']} Label : ")["input_ids"]
        told = (
            tokenizer(row["text_label"], add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
            if answers
            else []
        )
        ids, labels = asked + told, [-100] * len(asked) + told
        fill = max(length - len(ids), 0)
        ids, mask, labels = [tokenizer.pad_token_id] * fill + ids, [0] * fill + [1] * len(ids), [-100] * fill + labels
        out.append([ids[:length], mask[:length], labels[:length]])
    return out


def seq2seq(name, data, sourceLength=None):
    """[source ids, labels, decoder_input_ids] of each row, the last as the model itself makes them of the labels."""
    tokenizer = tokenizerOf(name)
    config = json.loads((HERE / name / "config.json").read_text())
    if config["model_type"] == "t5":
        model = transformers.T5ForConditionalGeneration(
            transformers.T5Config(
                vocab_size=120, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, decoder_start_token_id=0
            )
        )
    else:
        size = {
            "encoder_layers": 1,
            "decoder_layers": 1,
            "encoder_attention_heads": 1,
            "decoder_attention_heads": 1,
            "d_model": 8,
        }
        model = transformers.BartForConditionalGeneration(
            transformers.BartConfig(vocab_size=320, encoder_ffn_dim=8, decoder_ffn_dim=8, **size)
        )
    longest = max(len(tokenizer(name)["input_ids"]) for name in CLASSES)
    cut = {"max_length": sourceLength} if sourceLength else {}
    inputs = tokenizer([row["Tweet text"] for row in data], truncation=True, **cut)["input_ids"]
    targets = [row["text_label"] for row in data]
    labels = tokenizer(targets, max_length=longest, padding="max_length", truncation=True, return_tensors="pt")[
        "input_ids"
    ]
    labels[labels == tokenizer.pad_token_id] = -100
    shifted = model.prepare_decoder_input_ids_from_labels(labels=labels)
    return [list(row) for row in zip(inputs, labels.tolist(), shifted.tolist())], longest


def main():
    makeTokenizers()
    data, cases = rows(1, 7, 2, 14), []
    quirk = [
        *rows(2, 2, 2, 4),
        {"Tweet text": "help", "text_label": "no <pad> complaint"},
        {"Tweet text": "<pad> lost", "text_label": "complaint"},
    ]
    for name in ("tokenizer", "tokenizer-bart", "tokenizer-t5"):
        for length, quirks in ((40, True), (96, False)):
            flags = {"mode": "causal", "max_length": length, "reference_quirks": quirks}
            cases.append({"tokenizer": name, "flags": flags, "rows": data, "causal": causal(name, data, length)})
            cases.append(
                {"tokenizer": name, "flags": flags, "rows": data, "prompts": causal(name, data, length, answers=False)}
            )
    for name in ("tokenizer-bart", "tokenizer-t5"):
        for some, quirks, length in ((data, False, None), (data, True, 9), (quirk, True, None)):
            expected, longest = seq2seq(name, some, length)
            flags = {"mode": "seq2seq", "max_target_length": longest + 1, "reference_quirks": quirks}
            flags.update({"max_source_length": length} if length else {})
            cases.append({"tokenizer": name, "flags": flags, "rows": some, "seq2seq": expected})
    versions = {"transformers": transformers.__version__, "torch": torch.__version__}
    text = json.dumps({"versions": versions, "cases": cases}, separators=(",", ":")).replace(
        '{"tokenizer"', '\n{"tokenizer"'
    )
    (HERE / "pairs.json").write_text(text + "\n")


if __name__ == "__main__":
    main()

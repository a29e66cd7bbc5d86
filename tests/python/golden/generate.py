#!/usr/bin/env python3
"""Makes the reference data that test_reference.py holds zpdata to, with the library whose users come to us.

    python tests/python/golden/generate.py      in an environment with trl 1.16.0, transformers 5.23.0, torch 2.15.0

Writes, beside this file: a small tokenizer, cases.json (for each case its rows, zpdata's flags, the versions) and
in it what the reference's SFTTrainer makes of them: its prepared rows through its own collator. Nothing here
imports zpdata.
"""

import hashlib
import json
import pathlib
import random
import shutil
import tempfile

import datasets
import numpy
import torch
import transformers
import trl
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).resolve().parent
TOKENIZER = HERE / "tokenizer"
WORDS = "the a path file list of values returns raise error open close read write join split number text key sorted".split()

# Renders the last assistant message apart, so that the prompt alone isn't a prefix of prompt and completion.
TEMPLATE = """{{ bos_token }}{% for m in messages %}
[{{ m['role'] }}] {% if m['role'] == 'assistant' %}{% generation %}{{ m['content'] }}{{ eos_token }}{% endgeneration %}
{% else %}{{ m['content'] }}
{% endif %}
{% endfor %}
{% if add_generation_prompt %}[assistant] <think>{% endif %}"""


def makeTokenizer():
    shutil.rmtree(TOKENIZER, ignore_errors=True)
    TOKENIZER.mkdir()
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    text = [" ".join(random.Random(i).choices(WORDS, k=40)) for i in range(50)]
    core.train_from_iterator(
        text,
        trainers.BpeTrainer(
            vocab_size=330,
            special_tokens=["<unk>", "<s>", "</s>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    core.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    core.save(str(TOKENIZER / "tokenizer.json"), pretty=False)
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
    }
    (TOKENIZER / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")
    (TOKENIZER / "chat_template.jinja").write_text(TEMPLATE)


def sentence(rng, low, high):
    return " ".join(rng.choices(WORDS, k=rng.randint(low, high)))


def chats(seed, count, low=1, high=6):
    rng = random.Random(seed)
    return [
        {
            "messages": [
                m
                for _ in range(rng.randint(1, 3))
                for m in (
                    {"role": "user", "content": sentence(rng, low, high)},
                    {"role": "assistant", "content": sentence(rng, low, high)},
                )
            ]
        }
        for _ in range(count)
    ]


def pairs(seed, count, chat=False):
    rng = random.Random(seed)
    rows = [
        {
            "prompt": sentence(rng, 1, 8) + rng.choice(["", " ", " re"]),
            "completion": rng.choice(["", " ", "ad"]) + sentence(rng, 1, 5),
        }
        for _ in range(count)
    ]
    if not chat:
        return rows
    return [
        {
            "prompt": [{"role": "user", "content": row["prompt"]}],
            "completion": [{"role": "assistant", "content": row["completion"]}],
        }
        for row in rows
    ]


def numbers(seed, count, longest):
    """Rows of tokens of every length, empty ones too; each token's id tells where it was."""
    rng, at, rows = random.Random(seed), 0, []
    for _ in range(count):
        length = rng.randint(0, longest)
        rows.append({"input_ids": [i % 300 for i in range(at, at + length)]})
        at += length
    return rows


# The guide's two formats: how a message is written, what closes a turn, the special tokens that its scripts pass.
GUIDE = {
    "chatml": (
        lambda m: f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n",
        "<|im_end|>",
        ["<|im_start|>user", "<|im_start|>assistant", "<|im_start|>system", "<|im_end|>", "<s>", "<pad>"],
    ),
    "zephyr": (
        lambda m: f"<|{m['role']}|>\n{m['content']}</s>\n",
        "</s>",
        ["<|user|>", "<|assistant|>", "<|system|>", "</s>", "<s>", "<pad>"],
    ),
}

# name, rows, zpdata's flags (a boolean where the flag is one), whether only a digest is kept
CASES = [
    ("own_template_cut", chats(1, 30), {"max_length": 24}, False),
    ("own_template_packed", chats(2, 30), {"max_length": 160, "packing": True}, False),
    ("assistant_only", chats(3, 20), {"max_length": 64, "assistant_only_loss": True}, False),
    ("assistant_only_packed", chats(4, 20), {"max_length": 128, "packing": True, "assistant_only_loss": True}, False),
    (
        "from_value",
        [
            {"conversations": [{"from": m["role"], "value": m["content"]} for m in row["messages"]]}
            for row in chats(5, 10)
        ],
        {"max_length": 64},
        False,
    ),
    (
        "chatml",
        chats(6, 30),
        {"max_length": 64, "packing": True, "chat_template_format": "chatml", "reference_eos": True},
        False,
    ),
    ("zephyr", chats(7, 20), {"max_length": 32, "chat_template_format": "zephyr", "reference_eos": True}, False),
    ("completion", pairs(8, 30), {"max_length": 16}, False),
    ("completion_all_counted", pairs(9, 20), {"max_length": 16, "completion_only_loss": False}, False),
    ("completion_packed", pairs(10, 30), {"max_length": 48, "packing": True}, False),
    # A row has one EOS: its text's, where there is a text that lacks it.
    (
        "completion_beside_text",
        [
            {**row, "completion": row["completion"] + "</s>" * (i % 5 == 0), "text": "open" + "</s>" * (i % 2)}
            for i, row in enumerate(pairs(13, 20))
        ],
        {"max_length": 24},
        False,
    ),
    ("completion_chat", pairs(11, 20, chat=True), {"max_length": 32}, False),
    ("completion_chatml", pairs(12, 10, chat=True), {"max_length": 32, "chat_template_format": "chatml"}, False),
    (
        "text",
        [{"content": sentence(random.Random(i), 1, 12) + ("</s>" if i % 3 == 0 else "")} for i in range(20)],
        {"max_length": 12, "dataset_text_field": "content"},
        False,
    ),
    (
        "text_wrapped",
        [{"text": sentence(random.Random(i), 1, 12)} for i in range(30)],
        {"max_length": 20, "packing": True, "packing_strategy": "wrapped"},
        False,
    ),
    (
        "labels_given",
        [
            {"input_ids": [5, 6, 7, 8], "labels": [-100, 6, -100, 8]},
            {"input_ids": [9, 10], "labels": [-100, -100]},
            {"input_ids": [11], "labels": [11]},
        ],
        {"max_length": 4},
        False,
    ),
    ("blocks_bfd", numbers(20, 2300, 24), {"max_length": 20, "packing": True}, True),
    (
        "blocks_bfd_split",
        numbers(21, 2300, 50),
        {"max_length": 20, "packing": True, "packing_strategy": "bfd_split"},
        True,
    ),
    (
        "blocks_wrapped",
        numbers(22, 2300, 24),
        {"max_length": 20, "packing": True, "packing_strategy": "wrapped"},
        True,
    ),
    ("blocks_workers", numbers(23, 2301, 24), {"max_length": 20, "packing": True, "dataset_num_proc": 2}, True),
    (
        "shuffled_bfd",
        numbers(24, 1500, 24),
        {"max_length": 20, "packing": True, "shuffle_dataset": True, "seed": 7},
        True,
    ),
    ("shuffled_unpacked", numbers(25, 200, 9), {"max_length": 8, "shuffle_dataset": True, "seed": 7}, True),
]


def reference(rows, flags):
    """What the reference trains on: a list of (input_ids, labels, position_ids) a row, without padding."""
    flags = dict(flags)
    format = flags.pop("chat_template_format", "none")
    flags.pop("reference_eos", None)
    options = {}
    if format != "none":
        written, eos, special = GUIDE[format]
        options = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": eos, "additional_special_tokens": special}
    tokenizer = transformers.AutoTokenizer.from_pretrained(TOKENIZER, **options)
    if format != "none" and "messages" in rows[0]:
        rows = [{"content": "".join(map(written, row["messages"]))} for row in rows]
        flags["dataset_text_field"] = "content"
    elif format != "none":
        tokenizer.chat_template = (
            "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}"
            "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
        )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    config = transformers.LlamaConfig(
        vocab_size=400,
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        num_key_value_heads=1,
    )
    with tempfile.TemporaryDirectory() as folder:
        arguments = trl.SFTConfig(output_dir=folder, use_cpu=True, bf16=False, report_to="none", **flags)
        trainer = trl.SFTTrainer(
            model=transformers.LlamaForCausalLM(config),
            args=arguments,
            processing_class=tokenizer,
            train_dataset=datasets.Dataset.from_list(rows),
        )
    result = []
    for row in trainer.train_dataset:
        batch = trainer.data_collator([row])
        ids = batch["input_ids"][0].tolist()
        positions = batch["position_ids"][0].tolist() if "position_ids" in batch else list(range(len(ids)))
        result.append([ids, batch["labels"][0].tolist(), positions])
    return result


def digest(rows):
    """Of all rows in one string of i32: row length, then its three lists."""
    flat = [number for row in rows for number in [len(row[0]), *row[0], *row[1], *row[2]]]
    return hashlib.sha256(numpy.array(flat, dtype="<i4").tobytes()).hexdigest()


def main():
    datasets.disable_caching()
    makeTokenizer()
    cases = []
    for name, rows, flags, brief in CASES:
        made = reference(rows, flags)
        case = {"name": name, "flags": flags, "count": len(made), "digest": digest(made)}
        if brief:  # made again by the test from these numbers
            case["first"] = made[:3]
            case["lengths"] = [len(row["input_ids"]) for row in rows]
        else:
            case["rows"], case["expected"] = rows, made
        cases.append(case)
        print(name, len(made))
    versions = {m.__name__: m.__version__ for m in (trl, transformers, datasets, torch)}
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)
    (HERE / "cases.json").write_text(f'{{"made_with":{json.dumps(versions)},"cases":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()

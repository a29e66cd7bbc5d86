#!/usr/bin/env python3
"""Makes the reference data that test_tokenizer_class.py holds zpdata to, with the library whose users come to us.

    python tests/python/golden/generate_tokenizer_classes.py      in an environment with transformers 5.23.0

Writes tokenizer_classes.json beside this file: small tokenizers with the rules that models on the hub were saved with, and what the
reference's AutoTokenizer makes of some texts with each, by the class that their configuration names and the model beside them.
Nothing here imports zpdata.
"""

import json
import pathlib
import random
import struct
import tempfile

import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).resolve().parent
WORDS = "the a path file list of values returns raise error open close read write".split()
TEXTS = [
    "the path",
    " the  path ",
    "<s>the</s>\nopen</s> a file<s>",
    "</s><pad> the<pad>key",
    "if open:\n    12 34\n  5",
    "é ▁ the\n\n",
    "<|im_start|>the path<|im_end|> <x>",
    "  ",
    "the\tpath ",
]
NAMES = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
LLAMA = {**NAMES, "tokenizer_class": "LlamaTokenizer"}
SMOL = {"tokenizer_class": "GPT2Tokenizer", "eos_token": "<|im_end|>"}
T5 = {"tokenizer_class": "T5Tokenizer", "extra_ids": 0}


def lines():
    return [" ".join(random.Random(i).choices(WORDS, k=12)) + random.Random(i).choice(["\n  ", "\n    "]) for i in range(40)]


def llama():
    """Llama 2's: a blank goes before every text, and those within it are letters."""
    core = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    core.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    special = ["<unk>", "<s>", "</s>"]
    letters = [f"<0x{byte:02X}>" for byte in range(256)]
    core.train_from_iterator(lines(), trainers.BpeTrainer(vocab_size=320, special_tokens=special + letters))
    saved = json.loads(core.to_str())
    saved["added_tokens"] = [token for token in saved["added_tokens"] if token["content"] in special]
    core = Tokenizer.from_str(json.dumps(saved))
    core.pre_tokenizer = None
    core.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    core.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    core.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return core


def byteLevel(*before, special, splits=True):
    core = Tokenizer(models.BPE())
    last = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=splits)
    core.pre_tokenizer = pre_tokenizers.Sequence([*before, last]) if before else last
    core.decoder = decoders.ByteLevel()
    core.train_from_iterator(lines(), trainers.BpeTrainer(vocab_size=330, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    core.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return core


def smol():
    """SmolLM's: digits are apart from the blanks before them."""
    return byteLevel(pre_tokenizers.Digits(individual_digits=True), special=["<|endoftext|>", "<|im_start|>", "<|im_end|>"])


def llama3():
    split = pre_tokenizers.Split(Regex(r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|\s+(?!\S)|\s+"), "isolated")
    return byteLevel(split, special=["<s>", "</s>"], splits=False)


def qwen2():
    words = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    core = byteLevel(pre_tokenizers.Split(Regex(words), "isolated"), special=["<|endoftext|>", "<|im_start|>", "<|im_end|>"], splits=False)
    core.normalizer = normalizers.NFC()
    core.post_processor = processors.ByteLevel(trim_offsets=False)
    return core


def bart():
    core = byteLevel(special=["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    ends = [(token, core.token_to_id(token)) for token in ("</s>", "<s>")]
    core.post_processor = processors.RobertaProcessing(*ends, trim_offsets=True, add_prefix_space=False)
    return core


def mt0():
    """mT0's: blanks at the end stay."""
    core = Tokenizer(models.Unigram())
    core.pre_tokenizer = pre_tokenizers.Metaspace()
    core.train_from_iterator(lines(), trainers.UnigramTrainer(vocab_size=60, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>"))
    core.normalizer = normalizers.Sequence([normalizers.Precompiled(tabsToLetters()), normalizers.Replace(Regex(" {2,}"), " ")])
    core.decoder = decoders.Metaspace()
    core.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return core


def tabsToLetters():
    """A map as sentencepiece compiles them: units of a double array, here for one letter alone, and what it becomes."""
    units = [0] * 512
    units[0] = 0x100 << 10
    units[0x100 ^ 9] = 0x80 << 10 | 1 << 8 | 9
    return struct.pack("<I512I", 4 * len(units), *units) + b"a\0"


def padded():
    """A llama's that was saved while it padded."""
    core = llama()
    core.add_special_tokens(["<pad>"])
    core.enable_padding(pad_id=core.token_to_id("<pad>"), pad_token="<pad>")
    return core


FILES = {"llama": llama, "llama3": llama3, "smol": smol, "mt0": mt0, "padded": padded, "qwen2": qwen2, "bart": bart}


def typed(text, **flags):
    return {"content": text, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True, **flags}


# name, file, tokenizer_config.json, config.json
CASES = [
    ("llama", "llama", LLAMA, {"model_type": "llama"}),
    ("legacy", "llama", {**LLAMA, "legacy": True}, {"model_type": "llama"}),
    ("legacy_null", "llama", {**LLAMA, "legacy": None, "tokenizer_class": "LlamaTokenizerFast"}, {"model_type": "llama"}),
    ("no_prefix", "llama", {**LLAMA, "add_prefix_space": False, "legacy": True}, {"model_type": "llama"}),
    ("prefix_null", "llama", {**LLAMA, "add_prefix_space": None}, {"model_type": "llama"}),
    ("by_config", "llama", NAMES, {"model_type": "llama", "tokenizer_class": "LlamaTokenizer"}),
    ("alone", "llama", LLAMA, None),
    ("silent", "llama", {"tokenizer_class": "LlamaTokenizer"}, None),
    ("eos_null", "llama", {"tokenizer_class": "LlamaTokenizer", "eos_token": None}, None),
    ("no_class", "llama", NAMES, {"model_type": "llama"}),
    ("plain_class", "llama", {**NAMES, "tokenizer_class": "PreTrainedTokenizerFast"}, {"model_type": "llama"}),
    ("mistral", "llama", {**LLAMA, "legacy": True}, {"model_type": "mistral"}),
    ("mixtral", "llama", LLAMA, {"model_type": "mixtral"}),
    ("falcon", "llama", LLAMA, {"model_type": "falcon"}),
    ("qwen3", "llama", LLAMA, {"model_type": "qwen3"}),
    ("llama3", "llama3", LLAMA, {"model_type": "llama"}),
    ("decoder", "llama", {**LLAMA, "added_tokens_decoder": {"2": typed("</s>", rstrip=True), "330": typed("<x>", lstrip=True)}}, None),
    ("code_llama", "llama", {**NAMES, "tokenizer_class": "CodeLlamaTokenizer", "legacy": True}, {"model_type": "llama"}),
    ("code_llama_plain", "llama", {**NAMES, "tokenizer_class": "CodeLlamaTokenizer", "fill_token": None, "add_prefix_space": False}, None),
    ("smol", "smol", SMOL, {"model_type": "llama"}),
    ("smol_silent", "smol", {"tokenizer_class": "GPT2TokenizerFast", "add_prefix_space": True}, None),
    ("smol_plain", "smol", {**SMOL, "tokenizer_class": "PreTrainedTokenizerFast"}, {"model_type": "llama"}),
    ("mt0", "mt0", T5, {"model_type": "mt5"}),
    ("mt0_no_class", "mt0", {"extra_ids": 2}, {"model_type": "mt5"}),
    ("mt0_extra_ids", "mt0", {"tokenizer_class": "T5TokenizerFast"}, None),
    ("mt0_plain", "mt0", {**T5, "tokenizer_class": "PreTrainedTokenizerFast"}, {"model_type": "mt5"}),
    ("qwen2_silent", "qwen2", {"tokenizer_class": "PreTrainedTokenizerFast"}, {"model_type": "qwen2"}),
    ("qwen2", "qwen2", {"tokenizer_class": "LlamaTokenizerFast", "eos_token": "<|im_end|>", "pad_token": None}, {"model_type": "qwen2"}),
    ("qwen3_plain", "qwen2", {"tokenizer_class": "PreTrainedTokenizerFast"}, {"model_type": "qwen3"}),
    ("bart_silent", "bart", {"model_max_length": 1024}, {"model_type": "bart"}),
    ("bart_plain", "bart", {"tokenizer_class": "PreTrainedTokenizerFast"}, {"model_type": "bart"}),
    ("padded", "padded", LLAMA, None),
    ("padded_null", "padded", {**NAMES, "pad_token": None}, None),
]


def made(file, config, model):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "tokenizer.json").write_text(compact(file))
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
        if model:
            (folder / "config.json").write_text(json.dumps(model))
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        ids = [tokenizer(text)["input_ids"] for text in TEXTS]
        said = [tokenizer.decode(some, skip_special_tokens=True) for some in ids]
        return {"tokens": len(tokenizer), "special": tokenizer.special_tokens_map, "ids": ids, "said": said}


def main():
    files = {name: json.loads(make().to_str()) for name, make in FILES.items()}
    cases = [
        {"name": name, "file": file, "config": config, "model": model, **made(files[file], config, model)} for name, file, config, model in CASES
    ]
    head = json.dumps({"transformers": transformers.__version__})
    files = ",\n".join(f"{json.dumps(name)}:{compact(file)}" for name, file in files.items())
    cases = ",\n".join(map(compact, cases))
    text = f'{{"made_with":{head},"texts":{compact(TEXTS)},"files":{{\n{files}\n}},"cases":[\n{cases}\n]}}\n'
    (HERE / "tokenizer_classes.json").write_text(text)


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    main()

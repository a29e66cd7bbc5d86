#!/usr/bin/env python3
"""Makes the reference data that test_special_tokens.py holds zpdata to, with the library whose users come to us.

    python tests/python/golden/generate_special_tokens.py      in an environment with transformers 5.23.0

Writes special_tokens.json beside this file: what a tokenizer's configuration and older files beside it say of special tokens, and what
the reference's AutoTokenizer makes of some texts then, alone ("none") and with the tokens that the PEFT guide's scripts pass
("chatml"). Nothing here imports zpdata.
"""

import json
import pathlib
import shutil
import tempfile

import transformers

HERE = pathlib.Path(__file__).resolve().parent
CHATML = {
    "pad_token": "<pad>",
    "bos_token": "<s>",
    "eos_token": "<|im_end|>",
    "additional_special_tokens": ["<|im_start|>user", "<|im_start|>assistant", "<|im_start|>system", "<|im_end|>", "<s>", "<pad>"],
}
TEXTS = ["a <x> the <y> b", "open<x>path</s> <s> file", "<|im_start|>user\nkey<|im_end|>\n<pad> <z>", " the <x>"]


def typed(text, **flags):
    """A token as tokenizer_config.json has it with its flags."""
    off = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False}
    return {"content": text, **off, "special": True, **flags, "__type": "AddedToken"}


# name, what tokenizer_config.json says further, special_tokens_map.json, and where it is there added_tokens.json
CASES = [
    ("older_list", {"additional_special_tokens": ["<x>", "<y>"]}, None),
    ("list", {"extra_special_tokens": ["<y>", "<x>", "<y>"]}, None),
    ("both_lists", {"extra_special_tokens": ["<y>"], "additional_special_tokens": ["<x>"]}, None),
    ("empty_list_and_older", {"extra_special_tokens": [], "additional_special_tokens": ["<x>"]}, None),
    ("names", {"extra_special_tokens": {"image": "<y>", "image_token": "<x>"}}, None),
    ("names_and_older", {"extra_special_tokens": {"image": "<y>"}, "additional_special_tokens": ["<x>"]}, None),
    ("own_name", {"image_token": "<x>", "note_token": 5, "add_bos_token": True}, None),
    ("words_of_the_vocabulary", {"extra_special_tokens": ["path", "file"]}, None),
    ("flags", {"extra_special_tokens": [typed("<x>", lstrip=True, rstrip=True), typed("<y>", lstrip=True)]}, None),
    ("flags_of_names", {"image_token": typed("<x>", rstrip=True), "boi_token": "<y>"}, None),
    ("known_tokens_stay", {"extra_special_tokens": [typed("</s>", lstrip=True, rstrip=True)]}, None),
    ("map", {}, {"additional_special_tokens": ["<x>"], "image_token": {"content": "<y>", "lstrip": True}}),
    ("map_unread", {"added_tokens_decoder": {"330": typed("<y>")}}, {"additional_special_tokens": ["<x>"]}),
    ("decoder_has_the_word", {"added_tokens_decoder": {"330": typed("<y>"), "283": typed("path")}}, None),
    ("split", {"split_special_tokens": True, "extra_special_tokens": ["<x>"]}, None),
    ("not_split", {"split_special_tokens": False, "additional_special_tokens": ["<x>"]}, None),
    (
        "map_over_roles",
        {"eos_token": "<x>", "pad_token": "<y>"},
        {"eos_token": "</s>", "bos_token": None, "mask_token": {"content": "<z>", "lstrip": True}},
    ),
    ("roles_without_the_map", {"added_tokens_decoder": {"330": typed("<x>")}, "eos_token": "<x>"}, {"eos_token": "</s>", "pad_token": "<y>"}),
    ("flags_of_roles", {"pad_token": typed("<x>", lstrip=True, rstrip=True), "mask_token": typed("<y>", normalized=True, special=False)}, None),
    ("flags_of_the_decoder", {"added_tokens_decoder": {"330": typed("<x>", rstrip=True)}, "eos_token": typed("<x>", lstrip=True)}, None),
    ("added", {}, None, {"<y>": 331, "<x>": 330}),
    (
        "added_with_roles",
        {"eos_token": "<x>", "extra_special_tokens": ["<y>"]},
        {"pad_token": {"content": "<z>"}},
        {"<x>": 330, "<y>": 331, "<z>": 332, "key": 400},
    ),
    ("added_and_objects", {"eos_token": typed("<x>", lstrip=True)}, {"additional_special_tokens": ["<y>"]}, {"<x>": 331, "<y>": 330}),
    ("added_unread", {"added_tokens_decoder": {"330": typed("<y>")}}, None, {"<x>": 331}),
]


def made(config, older, added, options):
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(shutil.copytree(HERE / "tokenizer", pathlib.Path(folder) / "model"))
        path = model / "tokenizer_config.json"
        config = {**json.loads(path.read_text()), **config}
        for entry in config.get("added_tokens_decoder", {}).values():
            entry.pop("__type", None)
        path.write_text(json.dumps(config))
        for name, content in (("special_tokens_map.json", older), ("added_tokens.json", added)):
            if content is not None:
                (model / name).write_text(json.dumps(content))
        tokenizer = transformers.AutoTokenizer.from_pretrained(model, **options)
        return {"tokens": len(tokenizer), "eos": tokenizer.eos_token, "ids": [tokenizer(text)["input_ids"] for text in TEXTS]}


def main():
    cases = []
    for name, config, older, *added in CASES:
        added = added[0] if added else None
        made_with = {format: made(config, older, added, options) for format, options in (("none", {}), ("chatml", CHATML))}
        cases.append({"name": name, "config": config, "map": older, "added": added, **made_with})
    head = json.dumps({"transformers": transformers.__version__})
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)
    (HERE / "special_tokens.json").write_text(f'{{"made_with":{head},"texts":{json.dumps(TEXTS)},"cases":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()

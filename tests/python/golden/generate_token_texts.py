#!/usr/bin/env python3
"""Makes token_texts.json: what transformers' StopStringCriteria reads each token of a tokenizer as (README.md: environment).

The tokenizers of this folder, and one with byte fallback as Llama's, which is made here and kept in the file.
"""

import json
import os
import pathlib

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")

from tokenizers import Tokenizer, decoders, models, pre_tokenizers  # noqa: E402
from transformers import AutoTokenizer, PreTrainedTokenizerFast  # noqa: E402
from transformers import __version__ as version  # noqa: E402
from transformers.generation.stopping_criteria import StopStringCriteria  # noqa: E402

HERE = pathlib.Path(__file__).parent


def withByteFallback():
    words = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in (0, 10, 195, 169)), "\u2581", "a", "b", "c", "d", "e", "f", "ab", "\u2581ab", "cd", "\u2581stop", "op", "\u00e9"]
    merges = [("a", "b"), ("\u2581", "ab"), ("c", "d")]
    core = Tokenizer(models.BPE({word: i for i, word in enumerate(words)}, merges, unk_token="<unk>", byte_fallback=True))
    core.pre_tokenizer = pre_tokenizers.Metaspace()
    core.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    return core


def textsOf(tokenizer):
    mode = StopStringCriteria._get_stop_string_matching_mode(tokenizer)
    texts, ids = StopStringCriteria.clean_tokenizer_vocab(tokenizer, stop_string_matching_mode=mode)
    pairs = sorted(zip(ids, texts))
    return [[i, (text if isinstance(text, bytes) else text.encode()).hex()] for i, text in pairs]


def main():
    core = withByteFallback()
    golden = {"transformers": version, "byte_fallback": {"tokenizer": json.loads(core.to_str()), "texts": textsOf(PreTrainedTokenizerFast(tokenizer_object=core))}}
    for name in ("tokenizer", "tokenizer-bart", "tokenizer-t5"):
        golden[name] = {"texts": textsOf(AutoTokenizer.from_pretrained(HERE / name))}
    (HERE / "token_texts.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()

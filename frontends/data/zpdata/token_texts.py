"""What each token of a tokenizer says, for `zprun generate --stop_strings`: as transformers' StopStringCriteria reads it.

A token's text is what it adds to a text before it, without the spaces that only a text's beginning has; a token that is a piece of
a letter's bytes is those bytes.
"""

import json

import numpy

BEFORE = "abcdef"  # any text that tokens can follow


def tokenTexts(core):
    """The bytes of each token's text, by id; of ids that no token has none."""
    decoder = json.loads(core.to_str()).get("decoder")
    kinds = set(typesOf(decoder))
    before = [core.id_to_token(i) for i in core.encode(BEFORE, add_special_tokens=False).ids]
    texts = [b""] * core.get_vocab_size(with_added_tokens=True)
    for token, identity in core.get_vocab(with_added_tokens=True).items():
        pieces = bytesOf(token, kinds)
        if pieces is None:
            text = core.decoder.decode([*before, token]) if core.decoder else " ".join([*before, token])
            pieces = text[text.index(BEFORE) + len(BEFORE) :].encode()
        texts[identity] = pieces
    return texts


def tensorsOf(texts):
    """(name, dtype, values) of the token file: the texts one behind another, and where each ends."""
    joined = numpy.frombuffer(b"".join(texts), numpy.uint8)
    ends = numpy.cumsum([len(text) for text in texts], dtype=numpy.int64)
    return [("token_ends", "I64", ends), ("token_bytes", "U8", joined)]


def bytesOf(token, kinds):
    """The bytes that a token stands for by itself, or None where the decoder says."""
    if "ByteFallback" in kinds:
        if len(token) == 6 and token.startswith("<0x") and token.endswith(">"):
            try:
                return bytes([int(token[3:5], 16)])
            except ValueError:
                return None
    elif "ByteLevel" in kinds and all(letter in LETTERS for letter in token):
        return bytes(LETTERS[letter] for letter in token)
    return None


def typesOf(decoder):
    """The types of a decoder and of what it is made of."""
    if isinstance(decoder, dict):
        if "type" in decoder:
            yield decoder["type"]
        for value in decoder.values():
            yield from typesOf(value)
    elif isinstance(decoder, list):
        for value in decoder:
            yield from typesOf(value)


def byteLetters():
    """The letter that a byte-level vocabulary writes for each byte: printable ones stand for themselves."""
    own = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAC + 1), *range(0xAE, 0xFF + 1)]
    others = [byte for byte in range(256) if byte not in own]
    return {chr(byte): byte for byte in own} | {chr(256 + n): byte for n, byte in enumerate(others)}


LETTERS = byteLetters()

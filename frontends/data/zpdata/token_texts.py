"""What each token of a tokenizer says, for `zprun generate --stop_strings`: as transformers' StopStringCriteria reads it.

A token's text is what it adds to a text before it, without the spaces that only a text's beginning has; a token that is a piece of
a letter's bytes is those bytes.
"""

import json

import numpy

from .errors import ZpError

BEFORE = "abcdef"  # any text that tokens can follow
MOST = 1 << 24  # ids of a table; vocabularies have some hundred thousand


def tokenTexts(core):
    """The bytes of each token's text, by id; of ids that no token has none. A vocabulary may leave ids out, so the largest says
    how many there are."""
    kinds = set(typesOf(json.loads(core.to_str()).get("decoder")))
    vocabulary = core.get_vocab(with_added_tokens=True)
    token, largest = max(vocabulary.items(), key=lambda item: item[1], default=("", -1))
    if largest >= MOST:
        raise ZpError(
            "TokenRange",
            "--token_text",
            f"the tokenizer gives {token!r} the id {largest}, expected ids below {MOST}; number its tokens from 0",
        )
    before, said = beginning(core, vocabulary)
    texts = [b""] * (largest + 1)
    for token, identity in vocabulary.items():
        pieces = bytesOf(token, kinds)
        texts[identity] = textBehind(core, token, before, said).encode() if pieces is None else pieces
    return texts


def beginning(core, vocabulary):
    """(tokens, their text) that others can follow: those of BEFORE or, of a vocabulary without its letters, the first token
    that says something by itself."""
    try:
        before = [core.id_to_token(i) for i in core.encode(BEFORE, add_special_tokens=False).ids]
    except Exception:  # the library's only one; a vocabulary of words may have none for what it doesn't know
        before = []
    if BEFORE in join(core, before):
        return before, BEFORE
    special = {token.content for token in core.get_added_tokens_decoder().values()}
    for token in sorted(vocabulary, key=vocabulary.get):
        text = join(core, [token])
        if token not in special and text.strip() and "\ufffd" not in text:
            return [token], text
    return [], ""


def join(core, tokens):
    return core.decoder.decode(tokens) if core.decoder else " ".join(tokens)


def textBehind(core, token, before, said):
    """What a token adds to the text of those before it."""
    text = join(core, [*before, token])
    start = text.find(said)
    if start < 0:
        raise ZpError(
            "Config",
            "--token_text",
            f"the tokenizer's decoder makes {text!r} of {token!r} behind {said!r}, expected a text that begins as before; "
            "a decoder that changes what is said already can't be used with stop strings",
        )
    return text[start + len(said) :]


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

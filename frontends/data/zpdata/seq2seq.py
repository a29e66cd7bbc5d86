"""`--mode seq2seq`: a text for an encoder, and its answer for the decoder that reads it.

Tokens are those of the PEFT guide's script (peft_lora_seq2seq_accelerate_ds_zero3_offload.py): both sides with the tokenizer's own
special tokens, cut at a length. A row of the decoder is a causal row that begins with the model's start token, so the
label of each token is the next one's, which is the reference's shift to the right.
"""

from .encode import IGNORED, document, inBlocks
from .errors import ZpError, warn

# What the model's class takes for the key when its config.json has none; every other class has no default.
CLASS_DEFAULTS = {"bart": 2, "mt5": 0}


def startToken(tokenizer, given=None):
    """The id that a decoder's row begins with: the flag's, else the model's."""
    config = tokenizer.modelConfig()
    found = given
    for value in (config.get("decoder_start_token_id"), tokenizer.generationConfig().get("decoder_start_token_id")):
        found = value if found is None else found
    if found is None:
        found = CLASS_DEFAULTS.get(config.get("model_type"))
    if found is None:
        raise ZpError(
            "Config",
            tokenizer.directory / "config.json",
            "has no decoder_start_token_id, expected the token that a decoder's row begins with; add it (T5: the pad token's, 0; "
            "BART: the eos token's, 2), which zpc import asks for too, or give --decoder_start_token_id for this file alone",
        )
    rows = config.get("vocab_size")
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < 2**31 or (isinstance(rows, int) and found >= rows):
        raise ZpError(
            "Config",
            tokenizer.directory / "config.json",
            f"decoder_start_token_id is {found}, expected a token id{f' below {rows}' if isinstance(rows, int) else ''}; "
            "mend it, or give --decoder_start_token_id",
        )
    return found


def encodeSources(tokenizer, pairs, length):
    """A document for each pair's text, of at most `length` tokens, or as many as the tokenizer says that the model takes."""
    limit = length or tokenizer.modelMaxLength
    documents, cut = [], 0
    for block in inBlocks(pairs):
        encodings = tokenizer.encode([pair.text for pair in block], True, limit)
        cut += sum(bool(e.overflowing) for e in encodings)
        documents += [document(e.ids) for e in encodings]
    warnCut(cut, len(pairs), "texts", limit, "--max_source_length")
    return documents


def encodeTargets(tokenizer, pairs, length, start, quirks):
    """The decoder's documents. `length`: tokens of a row, of which the first is the start token; None: as they come."""
    limit = length - 1 if length else None
    documents, cut = [], 0
    for block in inBlocks(pairs):
        encodings = tokenizer.encode([pair.answer for pair in block], True, limit)
        cut += sum(bool(e.overflowing) for e in encodings)
        documents += [targetDocument(tokenizer, e.ids, limit, start, quirks) for e in encodings]
    warnCut(cut, len(pairs), "answers", limit, "--max_target_length")
    return documents


def targetDocument(tokenizer, ids, limit, start, quirks):
    end = tokenizer.eosId
    if not quirks and end is not None and end not in ids[-1:]:
        ids = [*ids[: limit - 1 if limit else None], end]  # a tokenizer that ends no text: the model is still to stop
    # The reference takes every token that equals padding for padding.
    labels = [IGNORED if quirks and token == tokenizer.padId else token for token in ids]
    return document([start, *ids], [IGNORED, *labels])


def warnCut(cut, rows, what, limit, flag):
    if cut:
        warn(
            f"{cut} of {rows} {what} are longer than {limit} tokens: their ends are left out; {flag} sets the length"
        )


def checkLength(tokenizer, length, before, flag):
    """The length, when the tokenizer's special tokens and a word fit behind `before` tokens, and learned positions reach so far."""
    least = before + tokenizer.core.num_special_tokens_to_add(False) + 1
    if length < least:
        raise ZpError(
            "Usage",
            flag,
            f"is {length}, expected {least} at least, as those that begin and end a row are {least - 1}; raise it",
        )
    config = tokenizer.modelConfig()
    positions = config.get("max_position_embeddings")
    if config.get("model_type") == "bart" and isinstance(positions, int) and length > positions:
        raise ZpError(
            "RopeLimit",
            tokenizer.directory / "config.json",
            f"the model has {positions} learned positions, but rows have {length} tokens, expected no more than there are positions; "
            f"set {flag} {positions}",
        )
    return length

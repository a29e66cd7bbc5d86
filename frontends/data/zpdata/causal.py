"""`--mode causal`: a prompt and its answer in one row of a decoder, padded on the left; the answer and its EOS are counted.

This is the preprocessing of the PEFT guide's script of causal language modelling (peft_lora_clm_accelerate_ds_zero3_offload.py).
A row that is too long loses the end of its own text here, and with `--reference_quirks` its end, answer and all, as there.
"""

from .encode import IGNORED, document, inBlocks
from .errors import ZpError, warn


def encodePairs(tokenizer, pairs, length, quirks):
    """A document (ids, labels) of at most `length` tokens for each pair; of a pair without an answer, its prompt."""
    end = tokenizer.eosId
    if end is None and any(pair.answer is not None for pair in pairs):
        raise ZpError(
            "Config",
            tokenizer.directory,
            "the tokenizer names no eos_token of its vocabulary, expected one that ends an answer; add it to tokenizer_config.json",
        )
    documents, cut = [], 0
    for pair, prompt, answer in encodings(tokenizer, pairs):
        told = [] if pair.answer is None else [*answer.ids, end]
        room = length - len(told)
        asked = prompt.ids
        cut += len(asked) > room
        if not quirks:
            asked = shortened(prompt, pair, room)
        ids, labels = [*asked, *told][:length], [*[IGNORED] * len(asked), *told][:length]
        documents.append(document(ids, labels))
    if cut:
        lost = "the end of the row is lost, as in the reference" if quirks else "the end of the text is left out"
        warn(f"{cut} of {len(pairs)} rows are longer than {length} tokens: {lost}; --max_length sets the length")
    return documents


def encodings(tokenizer, pairs):
    """(pair, its text's encoding, its answer's)"""
    for block in inBlocks(pairs):
        prompts = tokenizer.encode([pair.text for pair in block], True)
        yield from zip(block, prompts, tokenizer.encode([pair.answer or "" for pair in block], False))


def shortened(prompt, pair, room):
    """The prompt's ids, as many of the text's last ones left out as it takes."""
    surplus = len(prompt.ids) - room
    if surplus <= 0:
        return prompt.ids
    first, end = pair.span
    inText = [
        i
        for i, (start, stop) in enumerate(prompt.offsets)
        if first <= start and stop <= end and start < stop and not prompt.special_tokens_mask[i]
    ]
    before = len(prompt.ids) - len(inText)
    if room < 0:
        raise ZpError(
            "Dataset",
            pair.place,
            f"has an answer that with its EOS takes {-room} tokens more than a row has, expected one that leaves room for the text; "
            "raise --max_length or drop the row",
        )
    if before > room:
        raise ZpError(
            "Dataset",
            pair.place,
            f"takes {before} tokens before its text has a word, expected at most {room} beside the answer; "
            "raise --max_length or shorten --input_template",
        )
    left = set(inText[len(inText) - surplus :])
    return [token for i, token in enumerate(prompt.ids) if i not in left]

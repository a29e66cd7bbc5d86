"""`zpdata show`: a row of a token file in words, the counted tokens marked."""

import itertools
import json
import sys

from .errors import ZpError, paint
from .token_file import readRow
from .tokenizer import Tokenizer

OPEN, CLOSE = "⟦", "⟧"


def show(arguments):
    values, rows, metadata = readRow(arguments.file, arguments.row)
    directory = arguments.tokenizer or metadata.get("tokenizer")
    if not directory:
        raise ZpError("Usage", arguments.file, "names no tokenizer; give one with --tokenizer DIR")
    tokenizer = Tokenizer(directory, metadata.get("chat_template_format", "none"))
    source = (
        tokenizer.core.decode(
            values["source_ids"][values["source_segment_ids"] >= 0].tolist(), skip_special_tokens=False
        )
        if "source_ids" in values
        else None
    )
    documents = [describe(tokenizer, values, segment) for segment in range(values["segment_ids"].max() + 1)]
    if arguments.json:
        print(
            json.dumps(
                {
                    "row": arguments.row,
                    "rows": rows,
                    "length": len(values["input_ids"]),
                    "padding": int((values["segment_ids"] < 0).sum()),
                    "documents": documents,
                    **({} if source is None else {"source": source}),
                },
                ensure_ascii=False,
            )
        )
        return
    padding = int((values["segment_ids"] < 0).sum())
    counted = int((values["labels"][1:] != -100).sum())  # nothing predicts the first
    print(
        f"row {arguments.row} of {rows}: {len(documents)} document{'s' * (len(documents) != 1)}, "
        f"{len(values['input_ids']) - padding} tokens, {counted} counted, {padding} padding"
    )
    if source is not None:
        print(f"source: {source}")
    colour = paint("1", "x", sys.stdout) != "x"
    for number, document in enumerate(documents):
        print(
            f"--- document {number}: {document['tokens']} tokens, {document['counted']} counted"
            + ("" if colour else f" (between {OPEN} and {CLOSE})")
        )
        for span in document["spans"]:
            text = span["text"]
            if span["counted"]:
                text = paint("32", text, sys.stdout) if colour else OPEN + text + CLOSE
            print(text, end="")
        print()


def describe(tokenizer, values, segment):
    """One document: its runs of counted and uncounted tokens as text."""
    inside = values["segment_ids"] == segment
    ids, labels = values["input_ids"][inside].tolist(), values["labels"][inside].tolist()
    spans = []
    for counted, run in itertools.groupby(zip(ids, labels), key=lambda pair: pair[1] != -100):
        run = [token for token, _ in run]
        spans.append(
            {"counted": counted, "tokens": len(run), "text": tokenizer.core.decode(run, skip_special_tokens=False)}
        )
    return {"tokens": len(ids), "counted": sum(label != -100 for label in labels), "spans": spans}

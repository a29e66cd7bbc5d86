"""`zpdata text`: what `zprun generate` wrote, in words."""

import json
import sys

from .errors import ZpError, readError
from .sources import parseJson
from .stream import streamTexts
from .tokenizer import Tokenizer


def printText(arguments):
    if arguments.stream and (arguments.file != "-" or arguments.json):
        raise ZpError(
            "Usage", "--stream", "is for texts of standard input as they come; write zpdata text - --stream, without --json"
        )
    tokenizer = Tokenizer(arguments.tokenizer, arguments.chat_template_format)
    if arguments.stream:
        streamTexts(tokenizer, sys.stdin.buffer, "standard input")
        return
    rows = readContinuations(arguments.file)
    for number, tokens, ended in rows:
        text = tokenizer.decode(tokens)
        if arguments.json:
            print(json.dumps({"row": number, "text": text, "ended": ended}, ensure_ascii=False))
            continue
        if len(rows) > 1:
            print(f"--- prompt {number}")
        print(text)


def readContinuations(path):
    """(row, tokens, ended) of each line."""

    def parse(row):
        tokens = row.get("tokens")
        if isinstance(tokens, list) and all(type(t) is int and 0 <= t < 2**31 for t in tokens):
            return row.get("row"), tokens, row.get("ended", "")
        return None

    rows = readLines(path, parse, "has no tokens, expected a line of zprun generate; make the file with it")
    return [(number if row is None else row, tokens, ended) for number, (row, tokens, ended) in enumerate(rows)]


def readTexts(path):
    """The text of each line."""
    return readLines(
        path,
        lambda row: row["text"] if isinstance(row.get("text"), str) else None,
        "has no text, expected a line of zp generate --json; make the file with it, or name a --tokenizer for tokens",
    )


def readLines(path, parse, complaint):
    """What `parse` makes of each line's object; None is something else than what was expected."""
    parsed = []
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                row = parseJson(line, f"{path}:{number}")
                value = parse(row) if isinstance(row, dict) else None
                if value is None:
                    raise ZpError("Dataset", f"{path}:{number}", complaint)
                parsed.append(value)
    except OSError as error:
        raise readError(path, error) from None
    if not parsed:
        raise ZpError("Dataset", path, "holds no rows, expected a file that zprun generate wrote; make it with it")
    return parsed

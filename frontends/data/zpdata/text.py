"""`zpdata text`: what `zprun generate` wrote, in words."""

import json

from .errors import ZpError, readError
from .sources import parseJson
from .tokenizer import Tokenizer


def printText(arguments):
    tokenizer = Tokenizer(arguments.tokenizer, arguments.chat_template_format)
    rows = readContinuations(arguments.file)
    for number, tokens, ended in rows:
        text = tokenizer.core.decode(tokens, skip_special_tokens=True)
        if arguments.json:
            print(json.dumps({"row": number, "text": text, "ended": ended}, ensure_ascii=False))
            continue
        if len(rows) > 1:
            print(f"--- prompt {number}")
        print(text)


def readContinuations(path):
    """(row, tokens, ended) of each line."""
    rows = []
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                row = parseJson(line, f"{path}:{number}")
                tokens = row.get("tokens") if isinstance(row, dict) else None
                if not isinstance(tokens, list) or not all(type(t) is int and 0 <= t < 2**31 for t in tokens):
                    raise ZpError(
                        "Dataset", f"{path}:{number}", "has no tokens, expected a line of zprun generate; make the file with it"
                    )
                rows.append((row.get("row", number - 1), tokens, row.get("ended", "")))
    except OSError as error:
        raise readError(path, error) from None
    if not rows:
        raise ZpError("Dataset", path, "holds no rows, expected a file that zprun generate wrote; make it with it")
    return rows

"""What a row's fields hold, checked before it becomes tokens: each function gives the value, or says at the row's place what
is wrong with it."""

from .errors import ZpError
from .sources import parseJson

IGNORED = -100
IDS = range(2**31)  # what an i32 holds of token ids


def field(row, name, kind, place, expected):
    value = row.get(name)
    if not isinstance(value, kind):
        found = f"is {type(value).__name__}" if name in row else "is missing"
        raise ZpError("Dataset", place, f"{name} {found}, expected {expected}; mend or drop the row")
    return value


def tokensOf(row, place):
    """The token ids of a row of tokens."""
    ids = field(row, "input_ids", list, place, "a list of token ids as in the first row")
    if not all(type(i) is int and i in IDS for i in ids):
        raise ZpError(
            "TokenRange",
            place,
            "input_ids holds something that is not a token id, expected whole numbers from 0; mend or drop the row",
        )
    return ids


def labelsOf(row, count, place):
    """As many labels as a row has tokens."""
    labels = entries(row, "labels", count, place)
    if not all(type(i) is int and (i in IDS or i == IGNORED) for i in labels):
        raise ZpError(
            "TokenRange",
            place,
            f"labels holds something that is neither a token id nor {IGNORED}, expected the token's id where it counts and "
            f"{IGNORED} where it doesn't; mend or drop the row",
        )
    return labels


def maskOf(row, name, count, place):
    """A bit for each token."""
    bits = entries(row, name, count, place)
    if not all(type(bit) in (int, bool) and bit in (0, 1) for bit in bits):
        raise ZpError("Dataset", place, f"{name} holds something else than 0 and 1, expected 1 where a token counts; mend or drop the row")
    return bits


def entries(row, name, count, place):
    values = field(row, name, list, place, "a list with an entry a token")
    if len(values) != count:
        raise ZpError(
            "Dataset", place, f"{name} has {len(values)} entries, expected the {count} of input_ids; mend or drop the row"
        )
    return values


def toolsOf(row, place):
    """A row's tools, which may be written as JSON: files whose columns have one type each can't hold every tool otherwise."""
    tools = row.get("tools")
    if isinstance(tools, str):
        tools = parseJson(tools, f"{place}: tools", "a list of tools")
    if tools is None:
        return None
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise ZpError(
            "Dataset", place, "tools is not a list of objects, expected a JSON schema a tool; mend or drop the row's tools"
        )
    return tools


def wholeText(text, place):
    """JSON can write half of a letter (a lone surrogate), which no file of text can hold and no tokenizer takes."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise halfLetter(text[error.start], place) from None
    return text


def halfLetter(half, place):
    return ZpError(
        "Dataset",
        place,
        f"has half a letter in its text (\\u{ord(half):04x} without the other half of its pair), expected whole ones; mend or drop the row",
    )

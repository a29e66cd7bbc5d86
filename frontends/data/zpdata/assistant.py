"""Which characters of a rendered conversation the assistant writes, for templates that don't say it with {% generation %}.

An answer begins where the template's words before it end, and ends with its turn. Most templates render a conversation up to a
message as they render it in the whole, so that the two lengths say it. Others write a message otherwise when more follow
(thinking that is left out, an end that only the last has). For these a mark is put behind each message's words: what follows the
mark of the message before is held against the words before an answer, what follows the answer's own against the turn's end.
"""

import re

FIRST = 0xF6000  # of the marks, private letters: one a message


def byPrefixes(messages, text, rendered):
    """Spans, or None when a conversation up to a message isn't the whole one's beginning. `rendered` gives the text of messages."""
    spans = []
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            before = rendered(messages[:i], add_generation_prompt=True) if i else ""
            through = rendered(messages[: i + 1])
            if not text.startswith(through) or not through.startswith(before):
                return None
            spans.append((len(before), len(through)))
    return spans


def byMarks(messages, text, rendered, added):
    """Spans, or None when marks change what the template writes, or no token tells where a turn ends. `added` are tokens that are
    matched before a text is split: only between such may two renderings part."""
    marked = [withMark(message, i) for i, message in enumerate(messages)]
    whole = Marked(rendered(marked))
    if whole.text != text:
        return None
    pattern = re.compile("|".join(map(re.escape, sorted(added, key=len, reverse=True))) or r"(?!)")
    spans = []
    for i, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        last = next((j for j in reversed(range(i)) if j in whole.ends), None)
        if i not in whole.ends or last is None:
            return None
        before = sameWords(whole, Marked(rendered(marked[:i], add_generation_prompt=True)), last, pattern)
        through = sameWords(whole, Marked(rendered(marked[: i + 1])), i, pattern)
        if before is None or through is None or not before <= whole.ends[i] <= through:
            return None
        spans.append((before, through))
    return spans


def withMark(message, number):
    """The message with a mark behind its last letter: templates cut blanks off."""
    content = message.get("content")
    if not isinstance(content, str) or not content.strip():
        return message
    end = len(content.rstrip())
    return {**message, "content": content[:end] + chr(FIRST + number) + content[end:]}


class Marked:
    """A rendering without its marks, and where those were that it has once."""

    def __init__(self, marked):
        pieces = re.split(f"([{chr(FIRST)}-{chr(FIRST + 0xFFF)}])", marked)
        self.text = "".join(pieces[::2])
        self.ends, at, seen = {}, 0, set()
        for words, mark in zip(pieces[::2], pieces[1::2]):
            at += len(words)
            number = ord(mark) - FIRST
            self.ends[number] = at
            if number in seen:
                del self.ends[number]
            seen.add(number)


def sameWords(whole, part, number, pattern):
    """Where what follows a message in both renderings ends in the whole one, or None."""
    if number not in part.ends:
        return None
    start, tail = whole.ends[number], part.text[part.ends[number] :]
    rest = whole.text[start:]
    same = next((i for i, (x, y) in enumerate(zip(rest, tail)) if x != y), min(len(rest), len(tail)))
    if same == len(tail):
        return start + same
    for some in (rest, tail):  # they part: in a token, which then is no more of it, or beside one
        for found in pattern.finditer(some):
            if found.start() <= same <= found.end():
                end = same if same == found.end() else found.start()
                return start + end if end else None
            if found.start() > same:
                break
    return None

"""`zpdata text --stream`: what `zprun generate --stream_tokens` says, in words as it comes.

The first line says how many prompts there are, each other one a token of one of them. Texts are printed in the order of the
prompts: the first that isn't over as far as it has come, the next ones when it is their turn.
"""

import collections

from .errors import ZpError
from .sources import parseJson

PARTIAL = "\ufffd"  # what a decoder makes of a letter some of whose bytes are still to come


class Texts:
    def __init__(self, tokenizer, prompts):
        self.tokenizer, self.prompts = tokenizer, prompts
        self.tokens, self.over = collections.defaultdict(list), set()
        self.row, self.printed = 0, None  # the text that is being printed, and how much of it is; None: not even its heading

    def hear(self, row, token, over):
        self.tokens[row].append(token)
        if over:
            self.over.add(row)
        while self.tokens.get(self.row):
            self._print()
            if self.row not in self.over:
                break
            del self.tokens[self.row]
            self.row, self.printed = self.row + 1, None

    def _print(self):
        if self.printed is None:
            print(f"--- prompt {self.row}\n" if self.prompts > 1 else "", end="")
            self.printed = ""
        over = self.row in self.over
        text = self.tokenizer.decode(self.tokens[self.row])
        known = text if over else text.rstrip(PARTIAL)
        if known.startswith(self.printed):
            print(known[len(self.printed) :], end="", flush=True)
            self.printed = known
        elif over:  # of the few decoders that change what they have said: the text as it is in the end
            print("\n" + text, end="")
        if over:
            print(flush=True)


def streamTexts(tokenizer, lines, place):
    """Until the lines end. Without any there is nothing to say: who was to write them has said why."""
    texts = None
    for number, line in enumerate(lines, 1):
        said = parseJson(line, f"{place}:{number}")
        said = said if isinstance(said, dict) else {}
        if texts is None and isNumber(said.get("prompts"), 1 << 62):
            texts = Texts(tokenizer, said["prompts"])
            continue
        row, token, over = said.get("row"), said.get("token"), said.get("over")
        sound = texts and isNumber(row, texts.prompts) and isNumber(token, 1 << 31) and isinstance(over, bool)
        if not sound or row < texts.row or row in texts.over:
            raise ZpError(
                "Dataset",
                f"{place}:{number}",
                "is no new token of a prompt, expected a line of zprun generate --stream_tokens; take its output",
            )
        texts.hear(row, token, over)
    if texts and texts.printed:
        print(flush=True)  # it came to no end


def isNumber(value, end):
    return type(value) is int and 0 <= value < end

"""Rows to documents: a document is (input_ids, labels), two i32 arrays, where the label is the token itself or -100
when it isn't counted.

The kind of row is decided on a data set's first row, in this order: `input_ids` (already tokens), `prompt` +
`completion` (texts or message lists), `messages` (or `conversations`), a text column. What is added and what is
counted:

* text: the EOS token is appended unless the text ends with it; the tokenizer's own special tokens; every token
  counted.
* prompt + completion texts: EOS on the completion; counted from where the tokens of prompt and prompt + completion
  part.
* messages: through the chat template. With chatml and zephyr the rendered text is then a text row like any other,
  as in the PEFT guide; with the tokenizer's own template nothing is added. Every token counted, or with
  `assistantOnly` those that the assistant writes.
  """

import dataclasses
import itertools

import jinja2
import numpy

from .assistant import byMarks, byPrefixes
from .errors import ZpError, warn
from .fields import IGNORED, field, halfLetter, labelsOf, maskOf, tokensOf, toolsOf, wholeText
from .templates import markIn, render

BLOCK = 1000  # rows that are encoded at once
TEXT = "a text as in the first row"


@dataclasses.dataclass
class Settings:
    format: str = "none"
    textField: str = "text"
    completionOnly: bool | None = None  # None: yes for prompt + completion rows
    assistantOnly: bool = False
    referenceEos: bool = False  # append EOS as the reference does, even after "<eos>\n"


@dataclasses.dataclass
class Pending:
    """A row on its way: texts to encode, and what decides which tokens count."""

    place: str
    text: str | None = None
    prompt: str | None = None
    addSpecial: bool = True
    spans: list | None = None  # counted character spans; None: everything
    document: tuple | None = None  # already tokens


class Encoder:
    def __init__(self, tokenizer, settings):
        self.tokenizer, self.settings = tokenizer, settings
        self.kind = None
        self.warned = set()

    def encodeAll(self, rows):
        """Documents for rows (row, place), in order. What is made on the way is held for a block of them at a time."""
        return [one for block in inBlocks(rows) for one in self.encodeBlock(block)]

    def encodeBlock(self, rows):
        """Documents for a list of (row, place), in order."""
        pending = [self._prepare(row, place) for row, place in rows]
        texts = {}
        for addSpecial in (True, False):
            wanted = {}  # a set that keeps its order
            for one in pending:
                for text in (one.text, one.prompt) if one.addSpecial == addSpecial else ():
                    if text is not None:
                        wanted[wholeText(text, one.place)] = True
            wanted = list(wanted)
            texts[addSpecial] = dict(zip(wanted, self.tokenizer.encode(wanted, addSpecial), strict=True))
        return [p.document if p.document else self._finish(p, texts[p.addSpecial]) for p in pending]

    # --- a row's kind

    def _prepare(self, row, place):
        row = renamedConversation(row)
        if self.kind is None:
            self.kind = self._decideKind(row, place)
        return getattr(self, "_prepare" + self.kind)(row, place)

    def _decideKind(self, row, place):
        guide = self.settings.format != "none"
        if "input_ids" in row:
            return "Tokens"
        if isinstance(row.get("messages"), list) and (guide or "completion" not in row):
            return "Messages"
        if "prompt" in row and "completion" in row:
            return "Chat" if isinstance(row["prompt"], list) else "Completion"
        if self.settings.textField in row:
            return "Text"
        if "prompt" in row or "completion" in row:
            raise ZpError(
                "Dataset",
                place,
                "has prompt or completion but not both; give both, or name a text column with "
                "--dataset_text_field",
            )
        raise ZpError(
            "Dataset",
            place,
            f"has the columns {', '.join(map(str, row)) or '(none)'}, expected messages, prompt and "
            f"completion, or {self.settings.textField}; name the text column with --dataset_text_field",
        )

    # --- kinds

    def _prepareTokens(self, row, place):
        ids = tokensOf(row, place)
        if row.get("labels") is not None:
            return Pending(place, document=document(ids, labelsOf(row, len(ids), place)))
        masks = [
            maskOf(row, name, len(ids), place)
            for name in ("completion_mask", "assistant_masks")
            if row.get(name) is not None and (name == "assistant_masks" or self.settings.completionOnly)
        ]
        return Pending(place, document=document(ids, [token if all(bits) else IGNORED for token, *bits in zip(ids, *masks)]))

    def _prepareText(self, row, place):
        return Pending(place, text=self._withEos(field(row, self.settings.textField, str, place, TEXT)))

    def _prepareCompletion(self, row, place):
        prompt, completion = (field(row, name, str, place, TEXT) for name in ("prompt", "completion"))
        text, eos = row.get(self.settings.textField), self.tokenizer.eosToken
        if isinstance(text, str) and eos and not text.endswith(eos):
            # The reference gives a row one EOS: to its text if it has one, here a text that nobody reads.
            self._warnOnce(
                "text",
                f"rows have a column {self.settings.textField} beside prompt and completion: as in the reference completions get "
                f"no EOS then (first at {place}); drop the column, and a model learns to stop"
            )
        else:
            completion = self._withEos(completion)
        return Pending(place, text=prompt + completion, prompt=prompt)

    def _prepareMessages(self, row, place):
        messages = self._messages(row, "messages", place)
        text, spans = self._render(messages, row, place)
        spans = self._assistantSpans(messages, row, text, spans, place)
        if self.settings.format == "none":
            return Pending(place, text=text, addSpecial=False, spans=spans)
        return Pending(place, text=self._withEos(text), spans=spans)

    def _prepareChat(self, row, place):
        prompt, completion = (self._messages(row, name, place) for name in ("prompt", "completion"))
        text, spans = self._render(prompt + completion, row, place)
        spans = self._assistantSpans(prompt + completion, row, text, spans, place)
        start, _ = self._render(prompt, row, place, add_generation_prompt=True)
        return Pending(place, text=text, prompt=start, addSpecial=False, spans=spans)

    # --- rendering

    def _messages(self, row, name, place):
        messages = field(row, name, list, place, "a list of messages as in the first row")
        if not messages or not all(isinstance(m, dict) and isinstance(m.get("role"), str) for m in messages):
            raise ZpError(
                "Dataset",
                place,
                f"{name} is not a list of messages with a role and content each; mend or drop the row",
            )
        return messages

    def _render(self, messages, row, place, **variables):
        tools = toolsOf(row, place)
        template = self.tokenizer.templateFor(tools)
        if template is None:
            raise ZpError(
                "Config",
                self.tokenizer.directory,
                "the tokenizer has no chat template of its own and the rows are "
                "messages; choose --chat_template_format chatml or zephyr",
            )
        if mark := markIn([messages, tools, row.get("chat_template_kwargs")]):
            raise halfLetter(mark, place)
        try:
            return render(
                template,
                messages,
                **{
                    "add_generation_prompt": False,
                    "tools": tools,
                    "documents": None,
                    **self.tokenizer.own,
                    **self.tokenizer.special,
                    **(row.get("chat_template_kwargs") or {}),
                    **variables,
                },
            )
        except Exception as error:  # a template is a program of somebody else's
            said = str(error) if isinstance(error, jinja2.TemplateError) else f"{type(error).__name__}: {error}"
            raise ZpError(
                "Dataset",
                place,
                f"does not go through the chat template ({said}), expected a row that it takes; mend or drop the row",
            ) from None

    def _assistantSpans(self, messages, row, text, spans, place):
        """What counts when only the assistant's words do: the template's own spans, else what assistant.py finds."""
        if not self.settings.assistantOnly:
            return None

        def rendered(some, **variables):
            return self._render(some, row, place, **variables)[0]

        if not spans:
            spans = byPrefixes(messages, text, rendered)
        if spans is None:
            spans = byMarks(messages, text, rendered, self.tokenizer.matched)
        if spans is None:
            raise ZpError(
                "Dataset",
                place,
                "the chat template renders a message otherwise when more follow, so the "
                "assistant's words cannot be told apart; use a template with {% generation %}",
            )
        if not spans:
            raise ZpError(
                "Dataset",
                place,
                "has no words of the assistant to count; drop the row, or " "--assistant_only_loss false",
            )
        return spans

    def _withEos(self, text):
        eos = self.tokenizer.eosToken
        if not eos:
            self._warnOnce(
                "eos",
                f"the tokenizer in {self.tokenizer.directory} names no eos_token, so documents end without one, where the reference fails; add it "
                "to tokenizer_config.json, and a model learns to stop"
            )
            return text
        if text.endswith(eos):
            return text
        if self.settings.format != "none" and not self.settings.referenceEos and text.rstrip("\n").endswith(eos):
            return text
        return text + eos

    # --- tokens

    def _finish(self, pending, encodings):
        encoding = encodings[pending.text]
        ids = encoding.ids
        counted = numpy.ones(len(ids), dtype=bool)
        if pending.prompt is not None and self.settings.completionOnly is not False:
            promptIds = encodings[pending.prompt].ids
            start = commonPrefix(promptIds, ids)
            if start < len(promptIds):
                self._warnOnce(
                    "prompt",
                    "the tokens of a prompt are not the first tokens of prompt and completion, so the loss starts "
                    f"where they part (first at {pending.place}); end prompts where a token ends"
                )
            counted[:start] = False
        if pending.spans is not None:
            inSpans = numpy.zeros(len(ids), dtype=bool)
            inSpans[list(tokensOfSpans(encoding, pending.spans))] = True
            counted &= inSpans
        return document(ids, None if counted.all() else numpy.where(counted, ids, IGNORED))

    def _warnOnce(self, kind, text):
        if kind not in self.warned:
            self.warned.add(kind)
            warn(text)


def inBlocks(items):
    """Lists of BLOCK items, the last of as many as are left."""
    items = iter(items)
    while block := list(itertools.islice(items, BLOCK)):
        yield block


def document(ids, labels=None):
    """Arrays of a document, which nobody changes; without labels the tokens are their own, and held once."""
    tokens = numpy.array(ids, dtype=numpy.int32)
    return tokens, tokens if labels is None else numpy.array(labels, dtype=numpy.int32)


def renamedConversation(row):
    """from/value conversations are role/content messages under other names."""
    row = dict(row)
    if isinstance(row.get("conversations"), list):
        row["messages"] = row.pop("conversations")
    for name in ("messages", "prompt", "completion"):
        if isinstance(row.get(name), list):
            row[name] = [
                (
                    {{"from": "role", "value": "content"}.get(k, k): v for k, v in m.items()}
                    if isinstance(m, dict)
                    else m
                )
                for m in row[name]
            ]
    return row


def commonPrefix(a, b):
    return next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))


def tokensOfSpans(encoding, spans):
    """Tokens that hold a character of a span. A character that no token holds (dropped whitespace) is passed over."""
    for start, end in spans:
        while start < end and encoding.char_to_token(start) is None:
            start += 1
        while start < end and encoding.char_to_token(end - 1) is None:
            end -= 1
        if start < end:
            yield from range(encoding.char_to_token(start), encoding.char_to_token(end - 1) + 1)

"""`zpdata prompts`: rows to prompts, one a row of the file, for `zprun generate` to continue.

A row's prompt is its `prompt` (a text, or messages), its `messages` up to the answer that is to be written (an
assistant's message at the end is left out), or its text. Tokens are those that a training row of this kind begins
with, so no EOS, and behind messages the template's words before an answer.
"""

import json

from .encode import Encoder, Pending, Settings, document, renamedConversation
from .errors import ZpError
from .make_pairs import makePairPrompts
from .modes import PROMPT_HOMES, checkFlags, kindOf
from .sources import readRows
from .splits import findSplits
from .token_file import Side, writeTokenFile
from .token_texts import tensorsOf, tokenTexts
from .tokenizer import Tokenizer


class PromptEncoder(Encoder):
    """Rows of one file may be of different kinds."""

    def _prepare(self, row, place):
        row = renamedConversation(row)
        for name in ("prompt", "messages"):
            if isinstance(row.get(name), list):
                return self._chat(self._messages(row, name, place), row, place)
        for name in ("prompt", self.settings.textField):
            if isinstance(row.get(name), str):
                return Pending(place, text=row[name])
        raise ZpError(
            "Dataset",
            place,
            f"has the columns {', '.join(map(str, row)) or '(none)'}, expected prompt, messages or "
            f"{self.settings.textField}; name the text column with --dataset_text_field",
        )

    def _chat(self, messages, row, place):
        while messages and messages[-1]["role"] == "assistant":
            messages = messages[:-1]
        if not messages:
            raise ZpError("Dataset", place, "has no message to answer, expected one of the user; mend or drop the row")
        text, _ = self._render(messages, row, place, add_generation_prompt=True)
        # The guide's formats are trained on as text, with the tokenizer's own special tokens around it.
        return Pending(place, text=text, addSpecial=self.settings.format != "none")

    def _finish(self, pending, encodings):
        encoding = encodings[pending.text]
        ids = list(encoding.ids)
        # What a tokenizer puts behind a whole text isn't there yet.
        while pending.addSpecial and ids and encoding.special_tokens_mask[len(ids) - 1] and endsNowhere(encoding, len(ids) - 1):
            ids.pop()
        if not ids:
            raise ZpError(
                "Dataset",
                pending.place,
                "is an empty prompt, expected a word at least (the tokenizer begins texts with no token of its own); "
                "write one or drop the row",
            )
        return document(ids)


def endsNowhere(encoding, token):
    """Whether a special token was put there by the tokenizer behind the text, rather than written in it."""
    start, end = encoding.offsets[token]
    return start == end and token > 0


def makePrompts(arguments):
    checkFlags(arguments, PROMPT_HOMES)
    splits = findSplits(arguments.dataset)
    if len(splits) != 1:
        raise ZpError(
            "Usage", arguments.dataset, f"has the splits {', '.join(splits)}, expected one file; name the split's file"
        )
    tokenizer = Tokenizer(arguments.tokenizer, arguments.chat_template_format)
    files = next(iter(splits.values()))
    write = makeRowPrompts if arguments.mode == "sft" else makePairPrompts
    report = write(tokenizer, files, arguments)
    tokenizer.warnAboutEmbeddings(report.pop("largest_token_id"))
    if arguments.json:
        print(json.dumps(report))
    elif not arguments.quiet:
        print(f"{report['file']}: {report['prompts']} prompts, {report['tokens']} tokens, the longest {report['longest']}")


def makeRowPrompts(tokenizer, files, arguments):
    """Writes the prompts of some files and returns the report."""
    encoder = PromptEncoder(tokenizer, Settings(arguments.chat_template_format, arguments.dataset_text_field))
    documents = encoder.encodeAll(readRows(files))
    if not documents:
        raise ZpError("Dataset", files[0], "holds no rows; give it a prompt")
    longest = max(len(ids) for ids, _ in documents)
    metadata = {
        "format": "zpdata.prompts.1",
        "kind": kindOf(arguments.mode),
        "tokenizer": arguments.tokenizer,
        "chat_template_format": arguments.chat_template_format,
    }
    if tokenizer.eosId is not None:
        metadata["eos_token_id"] = tokenizer.eosId  # a chat format may end with another token than the model's own
    further = tensorsOf(tokenTexts(tokenizer.core)) if arguments.token_text else ()
    writeTokenFile(arguments.output, [Side([[d] for d in documents], longest, tokenizer.padId)], metadata, further)
    return {
        "file": str(arguments.output),
        "prompts": len(documents),
        "longest": longest,
        "tokens": sum(len(ids) for ids, _ in documents),
        "largest_token_id": max(int(ids.max()) for ids, _ in documents),
    }

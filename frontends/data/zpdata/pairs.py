"""Rows of a text and its answer, each from a column of its own: what `--mode causal` and `--mode seq2seq` read.

The text goes through a template, as the PEFT guide's scripts write their prompts; an answer that is a number stands for
a class when the classes have names.
"""

import dataclasses

from .errors import ZpError
from .fields import wholeText
from .sources import classNames, readRows

# The guide's script of causal language modelling; of an encoder-decoder it gives the text as it is.
TEMPLATES = {"causal": "{column} : {text} Label : ", "seq2seq": "{text}"}


@dataclasses.dataclass
class Pair:
    text: str
    span: tuple  # where the row's own words are in it
    answer: str | None  # None: it is still to be written
    place: str


class PairReader:
    """`answers`: whether rows must have one."""

    def __init__(self, arguments, answers=True):
        self.textColumn, self.answerColumn = arguments.source_column, arguments.target_column
        template = arguments.input_template or TEMPLATES[arguments.mode]
        if template.count("{text}") != 1:
            raise ZpError(
                "Usage",
                "--input_template",
                f"is {template!r}, expected one {{text}} in it; write where the row's text goes",
            )
        self.before, self.after = template.replace("{column}", self.textColumn).split("{text}")
        self.names = splitNames(arguments.class_names)
        self.answers = answers

    def read(self, files):
        """The pairs of some files, in order."""
        names = self.names or (classNames(files, self.answerColumn) if self.answers else None)
        pairs = [self._pair(row, place, names) for row, place in readRows(files)]
        if not pairs:
            raise ZpError("Dataset", files[0], "holds no rows; give a data set that does")
        return pairs

    def _pair(self, row, place, names):
        text = self._field(row, self.textColumn, "--source_column", place)
        if not isinstance(text, str):
            raise ZpError(
                "Dataset", place, f"{self.textColumn} is {type(text).__name__}, expected a text; mend or drop the row"
            )
        answer = (
            answerText(self._field(row, self.answerColumn, "--target_column", place), names, self.answerColumn, place)
            if self.answers
            else None
        )
        span = (len(self.before), len(self.before) + len(text))
        return Pair(wholeText(self.before + text + self.after, place), span, answer and wholeText(answer, place), place)

    @staticmethod
    def _field(row, column, flag, place):
        if column not in row:
            raise ZpError(
                "Dataset",
                place,
                f"has the columns {', '.join(map(str, row)) or '(none)'}, expected {column}; name the column with {flag}",
            )
        return row[column]


def answerText(value, names, column, place):
    """An answer in words."""
    number = value if isinstance(value, int) and not isinstance(value, bool) else None
    if names and isinstance(value, str) and value not in names and value.isdecimal():
        number = int(value)  # a CSV's cells are all texts
    if names and number is not None:
        if not 0 <= number < len(names):
            raise ZpError(
                "Dataset",
                place,
                f"{column} is class {number}, expected 0 to {len(names) - 1}; mend the row, or name all classes with --class_names",
            )
        return names[number]
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise ZpError(
        "Dataset",
        place,
        f"{column} is {type(value).__name__}, expected a text or the number of a class; mend or drop the row",
    )


def splitNames(text):
    """A list of names from a flag, or None."""
    return [name.strip() for name in text.split(",") if name.strip()] if text else None

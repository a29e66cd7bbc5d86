"""zpdata's command line. Flags are spelled as in the Hugging Face scripts: `-` for `_`, unique prefixes, and
booleans bare or with true/false."""

import argparse
import difflib
import sys

from .errors import ZpError

BOOLEANS = {
    **dict.fromkeys(("true", "yes", "t", "y", "1"), True),
    **dict.fromkeys(("false", "no", "f", "n", "0"), False),
}

EXAMPLES = """examples:
  zpdata chat.jsonl --tokenizer DIR --chat_template_format chatml --max_length 2048 --packing -o tokens.safetensors
  zpdata data/ --tokenizer DIR --splits train,test -o tokens.safetensors   makes tokens-train… and tokens-test…
  zpdata show tokens.safetensors --row 0
  zpdata prompts questions.jsonl --tokenizer DIR -o prompts.safetensors    for zprun generate
  zpdata text out.jsonl --tokenizer DIR                                    what it wrote, in words
"""


class Parser(argparse.ArgumentParser):
    """Reports through ZpError."""

    def error(self, message):
        raise ZpError("Usage", self.prog, f"{message}; see {self.prog} --help")


def boolean(text):
    try:
        return BOOLEANS[text.lower()]
    except KeyError:
        raise argparse.ArgumentTypeError(f"{text} is neither true nor false") from None


def wholeFrom(least):
    def whole(text):
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} is not a whole number from {least}")
        return int(text)

    return whole


natural, seed = wholeFrom(1), wholeFrom(0)


def makeParser():
    parser = Parser(
        prog="zpdata",
        usage="zpdata DATASET --tokenizer DIR [flags] -o FILE\n       zpdata show FILE [--row N]\n"
        "       zpdata prompts DATASET --tokenizer DIR -o FILE\n       zpdata text FILE --tokenizer DIR",
        description="Text to tokens: makes the token files that zprun trains on.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=True,
    )
    parser.add_argument(
        "dataset", metavar="DATASET", help="a .jsonl, .json, .parquet, .csv or .arrow file, or a directory of splits"
    )
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="the token file (safetensors)")

    rows = parser.add_argument_group("rows to text")
    addTokenizer(rows)
    addTextField(rows)
    rows.add_argument("--splits", metavar="A,B", help="only these splits of a directory")
    rows.add_argument(
        "--reference_eos",
        type=boolean,
        default=False,
        metavar="BOOL",
        help="append EOS exactly as TRL does, even where the chat format has just closed with one [false]",
    )

    loss = parser.add_argument_group("what is counted in the loss")
    loss.add_argument(
        "--completion_only_loss",
        type=boolean,
        default=None,
        metavar="BOOL",
        help="only the completion of prompt + completion rows [true for such rows]",
    )
    loss.add_argument(
        "--assistant_only_loss",
        type=boolean,
        default=False,
        metavar="BOOL",
        help="only what the assistant writes in messages [false]",
    )

    length = parser.add_argument_group("rows of tokens")
    length.add_argument(
        "--max_length",
        "--max_seq_length",
        "--max_seq_len",
        type=natural,
        default=1024,
        metavar="N",
        help="tokens of a row; longer documents are cut [1024]",
    )
    length.add_argument(
        "--packing", type=boolean, default=False, metavar="BOOL", help="several documents a row [false]"
    )
    length.add_argument(
        "--packing_strategy",
        choices=("bfd", "bfd_split", "wrapped"),
        default="bfd",
        help="best fit decreasing, the same with long documents split, or one string cut every N tokens [bfd]",
    )
    length.add_argument(
        "--shuffle_dataset",
        type=boolean,
        default=False,
        metavar="BOOL",
        help="shuffle before and after packing [false]",
    )
    length.add_argument("--seed", type=seed, default=42, metavar="N", help="of the shuffle [42]")
    length.add_argument(
        "--dataset_num_proc",
        type=natural,
        default=1,
        metavar="N",
        help="pack as TRL does with so many workers: each packs its own share of the rows [1]",
    )

    parser.add_argument("--quiet", type=boolean, default=False, metavar="BOOL", help="no report")
    parser.add_argument("--json", type=boolean, default=False, metavar="BOOL", help="the report as JSON")
    return parser


def addTokenizer(group):
    group.add_argument(
        "--tokenizer",
        "--model_name_or_path",
        metavar="DIR",
        required=True,
        help="directory that holds tokenizer.json",
    )
    group.add_argument(
        "--chat_template_format",
        choices=("chatml", "zephyr", "none"),
        default="none",
        help="none: the tokenizer's own template [none]",
    )


def addTextField(group):
    group.add_argument("--dataset_text_field", metavar="NAME", default="text", help="column of text rows [text]")


def makePromptsParser():
    parser = Parser(prog="zpdata prompts", description="Makes a file of prompts that zprun generate continues.")
    parser.add_argument("dataset", metavar="DATASET", help="rows with prompt (text or messages), messages, or text")
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="the prompts (safetensors)")
    addTokenizer(parser)
    addTextField(parser)
    parser.add_argument("--quiet", type=boolean, default=False, metavar="BOOL", help="no report")
    parser.add_argument("--json", type=boolean, default=False, metavar="BOOL", help="the report as JSON")
    return parser


def makeTextParser():
    parser = Parser(prog="zpdata text", description="Prints what zprun generate wrote, in words.")
    parser.add_argument("file", metavar="FILE")
    addTokenizer(parser)
    parser.add_argument("--json", type=boolean, default=False, metavar="BOOL", help="a line of JSON a row")
    return parser


def makeShowParser():
    parser = Parser(prog="zpdata show", description="Prints a row of a token file in words, counted labels marked.")
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--row", type=int, default=0, metavar="N", help="[0]")
    parser.add_argument("--tokenizer", metavar="DIR", help="[the one that the file was made with]")
    parser.add_argument("--json", type=boolean, default=False, metavar="BOOL", help="as JSON")
    return parser


def parse(parser, words):
    """Arguments, after spelling flags out: `_` for `-`, the whole name for a prefix, `=true` for a bare boolean."""
    flags = {
        option: action for action in parser._actions for option in action.option_strings if option.startswith("--")
    }
    spelled = []
    words = list(words)
    while words:
        word = words.pop(0)
        if word == "--":
            spelled += [word, *words]
            break
        if not word.startswith("--"):
            spelled.append(word)
            continue
        name, equals, value = word.partition("=")
        name = spellOut(name.replace("-", "_").replace("__", "--", 1), flags, parser.prog)
        if not equals and flags[name].type is boolean:
            value = words.pop(0) if words and words[0].lower() in BOOLEANS else "true"
            equals = "="
        spelled.append(name + equals + value)
    arguments, unknown = parser.parse_known_args(spelled)
    if unknown:
        raise ZpError("Usage", parser.prog, f"{unknown[0]} is one argument too many; see {parser.prog} --help")
    return arguments


def spellOut(name, flags, program):
    matches = [name] if name in flags else sorted(flag for flag in flags if flag.startswith(name))
    if len({id(flags[m]) for m in matches}) == 1:
        return matches[0]
    if matches:
        raise ZpError("Usage", program, f"{name} could be {' or '.join(matches)}; write it out")
    near = difflib.get_close_matches(name, flags, 1)
    raise ZpError(
        "UnknownKey",
        program,
        f"{name} is not a flag; " + (f"did you mean {near[0]}" if near else f"see {program} --help"),
    )


def main(words=None):
    """Returns the exit code."""
    from . import make, prompts, show, text

    verbs = {
        "show": (makeShowParser, show.show),
        "prompts": (makePromptsParser, prompts.makePrompts),
        "text": (makeTextParser, text.printText),
    }

    words = sys.argv[1:] if words is None else words
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal may not know every letter of the user's text
    try:
        if words and words[0] in verbs:
            makeVerbParser, run = verbs[words[0]]
            run(parse(makeVerbParser(), words[1:]))
        else:
            make.make(parse(makeParser(), words))
    except ZpError as error:
        return error.report()
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stdout = None
    except KeyboardInterrupt:
        return 130
    return 0

"""The flags of zpdata's verbs, each with what it does and its default."""

import argparse

from . import __version__
from .errors import ZpError

BOOLEANS = {
    **dict.fromkeys(("true", "yes", "t", "y", "1"), True),
    **dict.fromkeys(("false", "no", "f", "n", "0"), False),
}

EXAMPLES = """examples:
  zpdata chat.jsonl --tokenizer DIR --chat_template_format chatml --max_length 2048 --packing -o tokens.safetensors
  zpdata data/ --tokenizer DIR --splits train,test -o tokens.safetensors   makes tokens-train… and tokens-test…
  zpdata tweets/ --tokenizer DIR --mode seq2seq --source_column "Tweet text" --target_column label -o tokens.safetensors
  zpdata show tokens.safetensors --row 0
  zpdata prompts questions.jsonl --tokenizer DIR -o prompts.safetensors    for zprun generate
  zpdata text out.jsonl --tokenizer DIR                                    what it wrote, in words
  zpdata tokenizer --tokenizer DIR --chat_template_format chatml -o NEW    a tokenizer that has the format's tokens
  zpdata accuracy out.jsonl test.csv --tokenizer DIR --target_column label
  zpdata classify out.jsonl unlabelled.csv --tokenizer DIR --class_names "complaint,no complaint" -o predictions.csv
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


def wholeFrom(least, most=None):
    def whole(text):
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} is not a whole number from {least}")
        if most is not None and int(text) > most:
            raise argparse.ArgumentTypeError(f"{text} is more than {most}")
        return int(text)

    return whole


INT32_MOST = 2**31 - 1  # token files hold i32: ids, and the positions of a row
natural, seed = wholeFrom(1), wholeFrom(0)
rowLength, tokenId = wholeFrom(1, INT32_MOST), wholeFrom(0, INT32_MOST)


def makeParser():
    parser = Parser(
        prog="zpdata",
        usage="zpdata DATASET --tokenizer DIR [flags] -o FILE\n       zpdata show FILE [--row N]\n"
        "       zpdata prompts DATASET --tokenizer DIR -o FILE\n       zpdata text FILE --tokenizer DIR\n"
        "       zpdata tokenizer --tokenizer DIR --chat_template_format NAME [-o DIR]\n"
        "       zpdata accuracy ANSWERS DATASET [--tokenizer DIR]\n"
        "       zpdata classify ANSWERS DATASET [--tokenizer DIR] --class_names A,B -o FILE",
        description="Text to tokens: makes the token files that zprun trains on.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=True,
    )
    parser.add_argument("--version", action="version", version=f"zpdata {__version__}", help="print the version, do nothing")
    parser.add_argument(
        "dataset", metavar="DATASET", help="a .jsonl, .json, .csv (each also .gz), .parquet or .arrow file, or a directory of splits"
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

    pairs = parser.add_argument_group("rows of a text and its answer")
    addPairs(pairs)
    pairs.add_argument(
        "--max_target_length",
        type=rowLength,
        metavar="N",
        help="tokens of a decoder's row, the start token among them; longer answers are cut [the longest's]",
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
        type=rowLength,
        metavar="N",
        help="tokens of a row; longer documents are cut [1024; 64 with --mode causal]",
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


def addPairs(group):
    group.add_argument(
        "--mode",
        choices=("sft", "causal", "seq2seq"),
        default="sft",
        help="sft: rows as above; causal: text and answer in a row padded on the left; seq2seq: the text for an encoder, the answer "
        "for a decoder [sft]",
    )
    group.add_argument("--source_column", "--text_column", metavar="NAME", default="prompt", help="the text [prompt]")
    group.add_argument(
        "--target_column", "--label_column", metavar="NAME", default="completion", help="the answer [completion]"
    )
    group.add_argument(
        "--input_template",
        metavar="TEXT",
        help='what becomes of the text; {column} is its column\'s name ["{column} : {text} Label : "; seq2seq: "{text}"]',
    )
    group.add_argument(
        "--class_names",
        metavar="A,B",
        help="answers of rows that hold a class's number [those of a Parquet file's schema]",
    )
    group.add_argument(
        "--max_source_length",
        type=rowLength,
        metavar="N",
        help="tokens of an encoder's row; longer texts are cut [the longest's]",
    )
    group.add_argument(
        "--decoder_start_token_id", type=tokenId, metavar="ID", help="what a decoder's row begins with [config.json's]"
    )
    group.add_argument(
        "--reference_quirks",
        type=boolean,
        default=False,
        metavar="BOOL",
        help="as the guide's scripts do it: long causal rows lose their answer, answers' tokens that equal the pad token don't count [false]",
    )


def addTextField(group):
    group.add_argument("--dataset_text_field", metavar="NAME", default="text", help="column of text rows [text]")


def makePromptsParser():
    parser = Parser(prog="zpdata prompts", description="Makes a file of prompts that zprun generate continues.")
    parser.add_argument("dataset", metavar="DATASET", help="rows with prompt (text or messages), messages, or text")
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="the prompts (safetensors)")
    addTokenizer(parser)
    addTextField(parser)
    addPairs(parser.add_argument_group("rows of a text, its answer still to be written"))
    parser.add_argument(
        "--max_length",
        type=rowLength,
        metavar="N",
        help="tokens of a prompt with --mode causal; longer ones are cut [64]",
    )
    parser.add_argument(
        "--token_text",
        type=boolean,
        default=False,
        metavar="BOOL",
        help="say what tokens mean too, for zprun generate --stop_strings [false]",
    )
    parser.add_argument("--quiet", type=boolean, default=False, metavar="BOOL", help="no report")
    parser.add_argument("--json", type=boolean, default=False, metavar="BOOL", help="the report as JSON")
    return parser


def makeTextParser():
    parser = Parser(prog="zpdata text", description="Prints what zprun generate wrote, in words.")
    parser.add_argument("file", metavar="FILE", help="what zprun generate wrote; with --stream -, its standard output")
    addTokenizer(parser)
    parser.add_argument("--json", type=boolean, default=False, metavar="BOOL", help="a line of JSON a row")
    parser.add_argument(
        "--stream", type=boolean, default=False, metavar="BOOL", help="texts as zprun generate --stream_tokens makes them [false]"
    )
    return parser


def makeTokenizerParser():
    parser = Parser(
        prog="zpdata tokenizer",
        description="Counts a tokenizer's tokens with those that a chat format adds, and writes it with them.",
    )
    parser.add_argument("-o", "--output", metavar="DIR", help="directory for the tokenizer's files [counts only]")
    addTokenizer(parser)
    parser.add_argument("--json", type=boolean, default=False, metavar="BOOL", help="the report as JSON")
    return parser


def addAnswers(parser):
    parser.add_argument(
        "file", metavar="ANSWERS", help="lines of zprun generate (then name the tokenizer), or of zp generate --json"
    )
    parser.add_argument("dataset", metavar="DATASET", help="the rows that were answered, in their order")
    parser.add_argument(
        "--tokenizer", "--model_name_or_path", metavar="DIR", help="directory that holds tokenizer.json"
    )
    parser.add_argument("--splits", metavar="NAME", help="the split of a directory")
    parser.add_argument("--class_names", metavar="A,B", help="names of the classes [those of a Parquet file's schema]")
    parser.add_argument(
        "--target_column", "--label_column", metavar="NAME", default="completion", help="the answer [completion]"
    )
    parser.add_argument("--json", type=boolean, default=False, metavar="BOOL", help="the result as JSON")


def makeAccuracyParser():
    parser = Parser(
        prog="zpdata accuracy", description="Counts answers that are the label, and shows the first ones beside it."
    )
    addAnswers(parser)
    return parser


def makeClassifyParser():
    parser = Parser(prog="zpdata classify", description="Takes the nearest class for each answer and writes ID,Label.")
    addAnswers(parser)
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="the predictions (CSV)")
    parser.add_argument("--id_column", metavar="NAME", default="ID", help="what names a row [ID]")
    parser.add_argument("--quiet", type=boolean, default=False, metavar="BOOL", help="no report")
    return parser


def makeShowParser():
    parser = Parser(prog="zpdata show", description="Prints a row of a token file in words, counted labels marked.")
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--row", type=int, default=0, metavar="N", help="[0]")
    parser.add_argument("--tokenizer", metavar="DIR", help="[the one that the file was made with]")
    parser.add_argument("--json", type=boolean, default=False, metavar="BOOL", help="as JSON")
    return parser
